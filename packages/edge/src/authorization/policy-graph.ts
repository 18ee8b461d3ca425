/** Policies name one another and schemes: what is wrong with that, and which schemes a policy asks in the end. */
import { policyNamed, type AuthorizationPolicyConfig, type ConfigIssue } from "@proxy/config";
import type { AuthorizationFunction } from "./authorization-policies.ts";

export interface PolicyGraph {
  readonly issues: readonly ConfigIssue[];
  /** Names of schemes, in order. Empty for a policy whose schemes are in doubt: then nobody is authenticated. */
  schemesOf(policy: string): readonly string[];
}

/** `asked`: names in lower case of those that hold for routes; the others need no schemes, since only what they ask for counts. */
export function policyGraph(
  policies: readonly AuthorizationPolicyConfig[],
  functions: ReadonlyMap<string, AuthorizationFunction>,
  schemes: readonly string[],
  asked: ReadonlySet<string> = new Set(),
): PolicyGraph {
  const known = new Set(schemes.map((name) => name.toLowerCase()));
  const issues: ConfigIssue[] = [];
  const referencesOf = (name: string): readonly Reference[] => references(policyNamed(policies, name));

  const schemesOf = (name: string, seen: readonly string[] = []): readonly string[] => {
    const lower = name.toLowerCase();
    if (seen.includes(lower)) return [];
    const own = functions.get(lower)?.schemes ?? policyNamed(policies, name)?.schemes;
    if (own !== undefined) return own;
    const named = [...new Set(referencesOf(name).flatMap((each) => schemesNamed(each.policy, [...seen, lower])))];
    if (named.length > 0) return named;
    return schemes.length === 1 ? schemes : [];
  };
  // Of policies that are named only what they say themselves counts.
  const schemesNamed = (name: string, seen: readonly string[]): readonly string[] => {
    const lower = name.toLowerCase();
    if (seen.includes(lower)) return [];
    return functions.get(lower)?.schemes ?? policyNamed(policies, name)?.schemes ?? referencesOf(name).flatMap((each) => schemesNamed(each.policy, [...seen, lower]));
  };
  const reaches = (from: string, target: string, seen: Set<string>): boolean =>
    referencesOf(from).some(({ policy }) => {
      const lower = policy.toLowerCase();
      if (lower === target) return true;
      if (seen.has(lower)) return false;
      seen.add(lower);
      return reaches(policy, target, seen);
    });

  for (const policy of policies) {
    const add = (member: readonly (string | number)[], message: string, hint?: string): void => {
      issues.push({ code: "authorization", severity: "error", message: `${message} (Authorization policy '${policy.name}')`, hint, path: ["Policies", "Authorization", policy.name, ...member] });
    };
    for (const [index, scheme] of (policy.schemes ?? []).entries()) {
      if (!known.has(scheme.toLowerCase())) add(["Schemes", index], `there is no scheme '${scheme}'`, schemes.length === 0 ? "define it in Policies:Authentication" : `known are ${schemes.join(", ")}`);
    }
    for (const { path, policy: named } of references(policy)) {
      const lower = named.toLowerCase();
      if (policyNamed(policies, named) === undefined && !functions.has(lower)) {
        add(path, `there is no policy '${named}'`, `known are ${[...policies.map(({ name }) => name), ...functions.keys()].join(", ")}`);
      }
    }
    if (reaches(policy.name, policy.name.toLowerCase(), new Set())) add([], "the policy names itself, by itself or by others");
    else if (asked.has(policy.name.toLowerCase()) && policy.requireAuthenticated !== false && schemesOf(policy.name).length === 0) {
      add([], schemes.length === 0 ? "there is no scheme of authentication: nobody could pass" : "which scheme tells who it is?", "name Schemes");
    }
  }
  return { issues, schemesOf: (name) => schemesOf(name) };
}

interface Reference {
  readonly path: readonly (string | number)[];
  readonly policy: string;
}

function references(policy: AuthorizationPolicyConfig | undefined): readonly Reference[] {
  if (policy === undefined) return [];
  const list = (member: string, names: readonly string[] | undefined): Reference[] => (names ?? []).map((name, index) => ({ path: [member, index], policy: name }));
  return [
    ...list("All", policy.all),
    ...list("Any", policy.any),
    ...list("Not", policy.not),
    ...Object.entries(policy.methods ?? {}).map(([method, name]) => ({ path: ["Methods", method], policy: name })),
  ];
}
