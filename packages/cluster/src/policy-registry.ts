/** A policy that configuration names. */
export interface NamedPolicy {
  readonly name: string;
}

/** Two policies of one kind share a name, or a name is not known. A programmer's or a configuration's error. */
export class PolicyError extends Error {
  override readonly name = "PolicyError";
  readonly code: "duplicate-policy" | "unknown-policy";

  constructor(code: "duplicate-policy" | "unknown-policy", message: string) {
    super(message);
    this.code = code;
  }
}

/** Policies of one kind by name, ignoring case. Immutable; used while configuration is compiled, not per request. */
export class PolicyRegistry<P extends NamedPolicy> {
  readonly #kind: string;
  readonly #policies = new Map<string, P>();

  /** `kind` names them in errors ("load balancing policy"). Throws `PolicyError` when a name comes twice. */
  constructor(kind: string, policies: Iterable<P>) {
    this.#kind = kind;
    for (const policy of policies) {
      const key = policy.name.toLowerCase();
      if (this.#policies.has(key)) {
        throw new PolicyError("duplicate-policy", `duplicate ${kind} '${policy.name}'`);
      }
      this.#policies.set(key, policy);
    }
  }

  /** The names as their policies spell them, in order of registration. */
  get names(): readonly string[] {
    return [...this.#policies.values()].map((policy) => policy.name);
  }

  find(name: string): P | undefined {
    return this.#policies.get(name.toLowerCase());
  }

  /** Throws `PolicyError` naming the policy when there is none of that name. */
  get(name: string): P {
    const policy = this.find(name);
    if (policy === undefined) {
      throw new PolicyError(
        "unknown-policy",
        `unknown ${this.#kind} '${name}': known are ${this.names.join(", ") || "none"}`,
      );
    }
    return policy;
  }
}
