/**
 * Keys that clients send as they are. What is stored is their SHA-256: enough for keys that nobody can guess (128 random bits and more), and no way back to them
 * from the configuration. A key is looked for by the digest of what was sent, which its sender cannot bring nearer to a stored one step by step, and then
 * compared in constant time: how long it takes tells nothing of how near it was.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { systemClock, type Clock } from "@proxy/cluster";
import { digestOf, type ApiKeyConfig } from "@proxy/config";
import { headerKey, type Exchange, type RequestHead } from "@proxy/http";
import { changedRequest } from "../exchange/request-exchange.ts";
import { challengeValue } from "./challenge-value.ts";
import { parametersNamed, withoutParameter } from "./query-parameter.ts";
import type { AuthenticationResult, AuthenticationScheme, Challenge, Identity } from "./scheme.ts";
import type { SchemeKind } from "./scheme-kind.ts";

export const apiKeyKind: SchemeKind<"apiKey"> = {
  section: "apiKey",
  create: (name, config, { clock }) => new ApiKeyScheme(name, config, clock),
};

/** Longer ones nobody gives out; hashing them would be work for whoever sends them. */
const longestKey = 1024;

const none: AuthenticationResult = { kind: "none" };
const unknown: AuthenticationResult = { kind: "failed", reason: "the API key is not known" };
const expired: AuthenticationResult = { kind: "failed", reason: "the API key has expired" };
const several: AuthenticationResult = { kind: "failed", reason: "there is more than one API key" };

interface StoredKey {
  readonly digest: Buffer;
  readonly authenticated: AuthenticationResult;
  readonly expiresAt: number;
}

class ApiKeyScheme implements AuthenticationScheme {
  readonly name: string;
  readonly #header: string | undefined;
  readonly #query: string | undefined;
  readonly #keepsHeader: boolean;
  /** By digest in hexadecimal. */
  readonly #keys: ReadonlyMap<string, StoredKey>;
  readonly #clock: Clock;

  constructor(name: string, config: ApiKeyConfig, clock: Clock = systemClock) {
    this.name = name;
    this.#query = config.query === "" ? undefined : config.query;
    const header = config.header ?? (this.#query === undefined ? "X-Api-Key" : undefined);
    this.#header = header === undefined ? undefined : headerKey(header);
    this.#keepsHeader = config.forwardKey === true;
    const stored = Object.entries(config.keys ?? {}).map(([owner, { hash = "", claims = {}, expires }]): StoredKey => {
      const expiresAt = expires === undefined ? Number.POSITIVE_INFINITY : Date.parse(expires);
      const identity: Identity = { scheme: name, name: owner, claims: new Map([["sub", [owner]], ...Object.entries(claims)]), expiresAt: expires === undefined ? undefined : expiresAt };
      return { digest: Buffer.from(digestOf(hash) ?? "", "hex"), authenticated: { kind: "authenticated", identity }, expiresAt };
    });
    this.#keys = new Map(stored.map((key) => [key.digest.toString("hex"), key]));
    this.#clock = clock;
  }

  authenticate({ request }: Exchange): AuthenticationResult {
    const key = this.#keyOf(request);
    if (key === undefined) return none;
    if (typeof key !== "string") return several;
    if (key.length > longestKey) return unknown;
    const digest = createHash("sha256").update(key, "latin1").digest();
    const found = this.#keys.get(digest.toString("hex"));
    if (found === undefined || !timingSafeEqual(found.digest, digest)) return unknown;
    return found.expiresAt <= this.#clock.date() ? expired : found.authenticated;
  }

  challenge(_exchange: Exchange, result: AuthenticationResult): Challenge {
    const error = result.kind === "failed" ? { error: "invalid_key", error_description: result.reason } : {};
    return { kind: "values", values: [challengeValue("ApiKey", { realm: this.name, ...error })] };
  }

  withoutCredentials(request: RequestHead): RequestHead {
    const { headers, query, path } = request;
    const stripped = this.#query === undefined ? query : withoutParameter(query, this.#query);
    const hasHeader = this.#header !== undefined && !this.#keepsHeader && headers.has(this.#header);
    if (stripped === query && !hasHeader) return request;
    const kept = headers.copy();
    if (hasHeader) kept.remove(this.#header as string);
    return changedRequest(request, { headers: kept, query: stripped, target: stripped === query ? request.target : path + stripped });
  }

  /** Undefined: none; null: several. */
  #keyOf({ headers, query }: RequestHead): string | null | undefined {
    const sent: string[] = this.#header === undefined ? [] : headers.getAll(this.#header);
    if (this.#query !== undefined && query !== "") sent.push(...parametersNamed(query, this.#query).map(asOnWire));
    if (sent.length > 1) return null;
    return sent[0] === "" ? undefined : sent[0];
  }
}

/** The bytes of a text as a field would hold them. */
function asOnWire(text: string): string {
  return Buffer.from(text).toString("latin1");
}
