import { createHash } from "node:crypto";
import type { AuthenticationResult } from "../scheme.ts";

/** Tokens that were good, by digest, so that none is kept here: each for a time, and no more than a number of them, the oldest first to go. */
export class TokenCache {
  readonly #most: number;
  readonly #kept = new Map<string, { readonly result: AuthenticationResult; readonly until: number }>();

  constructor(most = 10_000) {
    this.#most = most;
  }

  get(key: string, now: number): AuthenticationResult | undefined {
    const kept = this.#kept.get(key);
    if (kept === undefined) return undefined;
    if (kept.until > now) return kept.result;
    this.#kept.delete(key);
    return undefined;
  }

  set(key: string, result: AuthenticationResult, until: number): void {
    if (this.#kept.size >= this.#most) this.#kept.delete(this.#kept.keys().next().value ?? "");
    this.#kept.set(key, { result, until });
  }

  clear(): void {
    this.#kept.clear();
  }
}

export function tokenKey(token: string): string {
  return createHash("sha256").update(token, "latin1").digest("base64url");
}
