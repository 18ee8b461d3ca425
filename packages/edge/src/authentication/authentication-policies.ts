import type { PoliciesConfig } from "@proxy/config";
import type { EdgePolicyKind } from "../edge-policy-kind.ts";
import type { PreparedSchemes, Schemes } from "./schemes.ts";

export interface AuthenticationPolicies extends EdgePolicyKind<"authentication"> {
  /** The schemes that were compiled last. */
  readonly prepared: () => PreparedSchemes;
}

/** Schemes by name, as authorization policies ask for them. */
export function authenticationPolicies(code: PoliciesConfig["authentication"], schemes: Schemes): AuthenticationPolicies {
  let prepared: PreparedSchemes | undefined;
  return {
    kind: "authentication",
    steps: [],
    code: code ?? [],
    prepared: () => {
      if (prepared === undefined) throw new Error("policies are compiled before the schemes that they name");
      return prepared;
    },
    validate: (_config, configs) => schemes.issues(configs),
    compile(configs) {
      const compiled = (prepared = schemes.compile(configs));
      return { endpoints: compiled.endpoints, bind: () => undefined, commit: compiled.commit, discard: compiled.discard };
    },
    close: () => schemes.close(),
  };
}
