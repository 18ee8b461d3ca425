import { statSync } from "node:fs";
import { routePolicies, type ConfigIssue, type PoliciesConfig } from "@proxy/config";
import type { EdgePolicyKind } from "../edge-policy-kind.ts";
import { staticFilesBinder } from "./static-files-step.ts";

/** Folders by name, as routes ask for them with `StaticFilesPolicy`. */
export function staticFilesPolicies(code: PoliciesConfig["staticFiles"]): EdgePolicyKind<"staticFiles"> {
  return {
    kind: "staticFiles",
    steps: ["static-files"],
    code: code ?? [],
    validate: (_config, policies) =>
      policies.flatMap(({ name, root }): ConfigIssue[] => {
        if (!root || isFolder(root)) return [];
        return [{ code: "static-files", severity: "error", message: `'${root}' is no folder (StaticFiles policy '${name}')`, path: ["Policies", "StaticFiles", name, "Root"] }];
      }),
    compile(policies) {
      const binders = new Map(policies.map((policy) => [policy.name.toLowerCase(), staticFilesBinder(policy)]));
      return {
        bind(_step, route) {
          const asked = routePolicies(route.config).staticFiles;
          return asked === undefined ? undefined : binders.get(asked.policy.toLowerCase())?.(route);
        },
      };
    },
  };
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
