/** Names of policies per kind, beyond the built-in ones. Compared ignoring case. */
export interface KnownPolicies {
  readonly authentication?: readonly string[] | undefined;
  readonly authorization?: readonly string[] | undefined;
  readonly cors?: readonly string[] | undefined;
  readonly rateLimiter?: readonly string[] | undefined;
  readonly timeout?: readonly string[] | undefined;
  readonly outputCache?: readonly string[] | undefined;
  readonly access?: readonly string[] | undefined;
  readonly compression?: readonly string[] | undefined;
  readonly staticFiles?: readonly string[] | undefined;
  readonly loadBalancing?: readonly string[] | undefined;
  readonly affinity?: readonly string[] | undefined;
  readonly affinityFailure?: readonly string[] | undefined;
  readonly availableDestinations?: readonly string[] | undefined;
  readonly activeHealth?: readonly string[] | undefined;
  readonly passiveHealth?: readonly string[] | undefined;
}

/** Everything that is named in configuration and has to be known. */
export type PolicyKind = keyof KnownPolicies;

/** What is known without any registration. The route policies have none: their names come from the configuration and the application. */
export const builtInPolicies: Readonly<Record<PolicyKind, readonly string[]>> = {
  authentication: [],
  authorization: [],
  cors: [],
  rateLimiter: [],
  timeout: [],
  outputCache: [],
  access: [],
  compression: [],
  staticFiles: [],
  loadBalancing: ["PowerOfTwoChoices", "Random", "RoundRobin", "LeastRequests", "FirstAlphabetical", "ConsistentHash"],
  affinity: ["HashCookie", "ArrCookie", "Cookie", "CustomHeader"],
  affinityFailure: ["Redistribute", "Return503Error"],
  availableDestinations: ["HealthyOrPanic", "HealthyAndUnknown"],
  activeHealth: ["ConsecutiveFailures"],
  passiveHealth: ["TransportFailureRate"],
};

/** Names that mean something of their own on a route; an application must not register them. */
export const reservedPolicies: Readonly<Partial<Record<PolicyKind, readonly string[]>>> = {
  authorization: ["Default", "Anonymous"],
  cors: ["Default", "Disable"],
  rateLimiter: ["Default", "Disable"],
  timeout: ["Disable"],
  access: ["Disable"],
  compression: ["Disable"],
  outputCache: ["Disable"],
};

/** Answers by kind; built once per validation. */
export interface PolicyNames {
  isKnown(kind: PolicyKind, name: string): boolean;
  isReserved(kind: PolicyKind, name: string): boolean;
  /** For hints: every name that would do. */
  choices(kind: PolicyKind): readonly string[];
}

export function policyNames(known: KnownPolicies): PolicyNames {
  const all = new Map<PolicyKind, ReadonlySet<string>>();
  for (const kind of Object.keys(builtInPolicies) as PolicyKind[]) {
    all.set(kind, lowerCased([...builtInPolicies[kind], ...(known[kind] ?? [])]));
  }
  return {
    isKnown: (kind, name) => all.get(kind)?.has(name.toLowerCase()) ?? false,
    isReserved: (kind, name) => lowerCased(reservedPolicies[kind] ?? []).has(name.toLowerCase()),
    choices: (kind) => distinct([...builtInPolicies[kind], ...(reservedPolicies[kind] ?? []), ...(known[kind] ?? [])]),
  };
}

/** The first of the names that differ by case only: applications register built-in policies too. */
function distinct(names: readonly string[]): readonly string[] {
  return [...Map.groupBy(names, (name) => name.toLowerCase()).values()].flatMap(([first]) => first ?? []);
}

function lowerCased(names: readonly string[]): ReadonlySet<string> {
  return new Set(names.map((name) => name.toLowerCase()));
}
