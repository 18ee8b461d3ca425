/**
 * Signed tokens in `Authorization: Bearer` (RFC 6750). Without waiting, unless a key has to be fetched:
 *
 * 1. One field, one token. More of them is refused: nobody can say which one a destination would take.
 * 2. A token that was good a moment ago is good (`CacheDuration`), until it expires or the issuer's keys change.
 * 3. Otherwise `TokenRules` say. For a key that is not there the issuer is asked again; where that fails, it is not known whether the token is good: 503.
 */
import { readFileSync } from "node:fs";
import type { BearerConfig } from "@proxy/config";
import type { Exchange, HeaderList } from "@proxy/http";
import type { Clock } from "@proxy/cluster";
import { challengeValue } from "../challenge-value.ts";
import type { AuthenticationResult, AuthenticationScheme, Challenge, Identity, SchemeServices } from "../scheme.ts";
import type { SchemeKind } from "../scheme-kind.ts";
import { keySource, type KeySource } from "./key-source.ts";
import { keysOfText, type SigningKeys } from "./signing-keys.ts";
import { TokenCache, tokenKey } from "./token-cache.ts";
import { TokenClaims } from "./token-claims.ts";
import { TokenRules, type Claims, type TokenHead } from "./token-rules.ts";

export const bearerKind: SchemeKind<"bearer"> = {
  section: "bearer",
  faults({ keyFile }) {
    if (!keyFile) return [];
    try {
      keysOfText(readFileSync(keyFile, "utf8"));
      return [];
    } catch (error) {
      return [{ path: ["KeyFile"], message: `KeyFile cannot be used: ${(error as Error).message}` }];
    }
  },
  create: (name, config, services) => new BearerScheme(name, config, services),
};

const none: AuthenticationResult = { kind: "none" };
const several: AuthenticationResult = { kind: "failed", reason: "there is more than one Authorization field" };
const malformed: AuthenticationResult = { kind: "failed", reason: "the Authorization field is malformed" };
const notSigned = "the token's signature is wrong";
const noKey = "the token's key is not known";

class BearerScheme implements AuthenticationScheme {
  readonly name: string;
  readonly #rules: TokenRules;
  readonly #keys: KeySource;
  readonly #clock: Clock;
  readonly #nameClaim: string;
  readonly #cacheDuration: number;
  readonly #cache = new TokenCache();

  constructor(name: string, config: BearerConfig, services: SchemeServices) {
    this.name = name;
    this.#rules = new TokenRules(config);
    this.#clock = services.clock;
    this.#nameClaim = config.nameClaim ?? "sub";
    this.#cacheDuration = config.cacheDuration ?? 60_000;
    this.#keys = keySource(name, config, services, () => this.#cache.clear());
  }

  start(): void {
    this.#keys.start();
  }

  close(): void {
    this.#keys.close();
  }

  authenticate({ request: { headers } }: Exchange): AuthenticationResult | Promise<AuthenticationResult> {
    const token = tokenOf(headers);
    if (typeof token !== "string") return token;
    const now = this.#clock.date();
    const key = this.#cacheDuration > 0 ? tokenKey(token) : "";
    const known = key === "" ? undefined : this.#cache.get(key, now);
    if (known !== undefined) return known;
    const head = this.#rules.headOf(token);
    if (typeof head === "string") return failed(head);
    const keys = this.#keys.current;
    if (keys === undefined) return this.#checkLater(token, head, key);
    this.#keys.used();
    const isSigned = this.#rules.isSigned(token, head, keys);
    return isSigned === undefined ? this.#checkRenewed(token, head, key) : this.#judge(token, key, isSigned, now);
  }

  async #checkLater(token: string, head: TokenHead, key: string): Promise<AuthenticationResult> {
    const keys = await this.#keys.load();
    if (keys === undefined) return this.#unavailable();
    return this.#judgeBy(keys, token, head, key) ?? this.#checkRenewed(token, head, key);
  }

  async #checkRenewed(token: string, head: TokenHead, key: string): Promise<AuthenticationResult> {
    const keys = await this.#keys.renew();
    return keys === undefined ? this.#unavailable() : (this.#judgeBy(keys, token, head, key) ?? failed(noKey));
  }

  #unavailable(): AuthenticationResult {
    return { kind: "unavailable", reason: "the issuer's keys cannot be read", retryAfter: this.#keys.retryAfter };
  }

  #judgeBy(keys: SigningKeys, token: string, head: TokenHead, key: string): AuthenticationResult | undefined {
    const isSigned = this.#rules.isSigned(token, head, keys);
    return isSigned === undefined ? undefined : this.#judge(token, key, isSigned, this.#clock.date());
  }

  #judge(token: string, key: string, isSigned: boolean, now: number): AuthenticationResult {
    if (!isSigned) return failed(notSigned);
    const claims = this.#rules.claimsOf(token, now / 1000);
    if (typeof claims === "string") return failed(claims);
    const identity = this.#identity(token, claims);
    const result: AuthenticationResult = { kind: "authenticated", identity };
    if (key !== "") this.#cache.set(key, result, Math.min(now + this.#cacheDuration, (identity.expiresAt ?? now) + this.#rules.skew * 1000));
    return result;
  }

  #identity(token: string, payload: Claims): Identity {
    const claims = new TokenClaims(payload);
    return { scheme: this.name, name: claims.get(this.#nameClaim)?.[0], claims, accessToken: token, expiresAt: Number(payload["exp"]) * 1000 };
  }

  challenge(_exchange: Exchange, result: AuthenticationResult): Challenge {
    const realm = this.name;
    if (result.kind !== "failed") return { kind: "values", values: [challengeValue("Bearer", { realm })] };
    const error = result === several || result === malformed ? "invalid_request" : "invalid_token";
    return { kind: "values", values: [challengeValue("Bearer", { realm, error, error_description: result.reason })] };
  }

  /** RFC 6750, 3.1 */
  forbid(_exchange: Exchange, _identity: Identity, scopes: readonly string[]): Challenge {
    if (scopes.length === 0) return { kind: "none" };
    return { kind: "values", values: [challengeValue("Bearer", { realm: this.name, error: "insufficient_scope", scope: scopes.join(" ") })] };
  }
}

function failed(reason: string): AuthenticationResult {
  return { kind: "failed", reason };
}

/** The token of a request, or what is wrong with its field. */
function tokenOf(headers: HeaderList): string | AuthenticationResult {
  const at = headers.indexOf("authorization");
  if (at < 0) return none;
  const value = headers.valueAt(at);
  if (value.length < 6 || value.slice(0, 6).toLowerCase() !== "bearer") return headers.indexOf("authorization", at + 1) >= 0 && hasBearer(headers) ? several : none;
  if (headers.indexOf("authorization", at + 1) >= 0) return several;
  if (value.length === 6) return malformed;
  if (value.charCodeAt(6) !== 0x20) return none;
  const token = value.slice(7);
  return token.includes(" ") || token.includes(",") ? malformed : token;
}

function hasBearer(headers: HeaderList): boolean {
  return headers.getAll("authorization").some((value) => /^bearer\b/i.test(value));
}
