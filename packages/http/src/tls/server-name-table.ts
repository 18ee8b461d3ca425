/**
 * A choice by host name, as SNI needs it: exact names, `*.suffix` for every name below the suffix (the longest one
 * wins), and `*` for all others, a missing name included. Letter case and a final dot make no difference. Looking a name
 * up never throws, whatever a client sends.
 */
export class ServerNameTable<T> {
  readonly #exact = new Map<string, T>();
  /** By the suffix with its leading dot. */
  readonly #suffixes = new Map<string, T>();
  #fallback: T | undefined;

  /** @throws {TypeError} for a pattern that is none of the three forms, or that stands there twice. */
  constructor(entries: Iterable<readonly [pattern: string, value: T]>, fallback?: T) {
    this.#fallback = fallback;
    let starred = false;
    for (const [pattern, value] of entries) {
      const fault = serverNameFault(pattern);
      if (fault !== undefined) throw new TypeError(fault);
      const name = normalServerName(pattern);
      const twice = name === "*" ? starred : name.startsWith("*.") ? this.#suffixes.has(name.slice(1)) : this.#exact.has(name);
      if (twice) throw new TypeError(`the server name '${pattern}' stands there twice`);
      if (name === "*") {
        starred = true;
        this.#fallback = value;
      } else if (name.startsWith("*.")) {
        this.#suffixes.set(name.slice(1), value);
      } else {
        this.#exact.set(name, value);
      }
    }
  }

  find(serverName: string | undefined): T | undefined {
    if (serverName === undefined || serverName === "") return this.#fallback;
    const name = normalServerName(serverName);
    const exact = this.#exact.get(name);
    if (exact !== undefined) return exact;
    if (this.#suffixes.size > 0) {
      // From the left: the longest suffix first.
      for (let dot = name.indexOf(".", 1); dot > 0; dot = name.indexOf(".", dot + 1)) {
        const found = this.#suffixes.get(name.slice(dot));
        if (found !== undefined) return found;
      }
    }
    return this.#fallback;
  }
}

/** What is wrong with a server name pattern, or undefined: lower case, no trailing stop. */
export function serverNameFault(pattern: string): string | undefined {
  if (pattern === "*") return undefined;
  const name = pattern.startsWith("*.") ? pattern.slice(2) : pattern;
  const labels = normalServerName(name).split(".");
  const valid = pattern.length <= 253 && labels.every((label) => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label));
  return valid ? undefined : `'${pattern}' is no server name: it looks like example.org, *.example.org or *`;
}

/** Lower case, without a final dot. */
export function normalServerName(name: string): string {
  const lower = name.toLowerCase();
  return lower.endsWith(".") ? lower.slice(0, -1) : lower;
}
