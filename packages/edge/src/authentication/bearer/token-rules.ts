/**
 * Whether a token is good, in these steps (RFC 7515, RFC 7519, RFC 8725):
 *
 * 1. Three parts of base64url, not longer than the limit.
 * 2. The head names an accepted algorithm and type, and nothing critical (`crit`). Keys that a token brings along (`jwk`, `jku`, `x5c`, `x5u`) are not looked at.
 * 3. A key of the issuer with that name and for that algorithm has signed it.
 * 4. The claims are an object: `iss` exactly the issuer, `aud` one of the audiences, `exp` there and not over, `nbf` and `iat`, where there are any, not ahead.
 */
import { isAscii } from "node:buffer";
import { decodeProtectedHeader } from "jose";
import type { BearerConfig } from "@proxy/config";
import type { KeyReference, SigningKeys } from "./signing-keys.ts";

export type TokenHead = KeyReference;

/** What is wrong with a token, for its sender to read. */
export type TokenFault = string;

export type Claims = Readonly<Record<string, unknown>>;

const asymmetric = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"];
const parts = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;

/** Heads of tokens are the same for all that one key signs. */
const mostHeads = 256;
/** Of more keys without names none would be meant. */
const mostTried = 8;

export class TokenRules {
  readonly #algorithms: ReadonlySet<string>;
  readonly #types: ReadonlySet<string> | undefined;
  readonly #maxSize: number;
  readonly #issuer: string;
  readonly #audiences: ReadonlySet<string>;
  readonly #skew: number;
  readonly #heads = new Map<string, TokenHead>();
  /** The head that came last, with the dot behind it: comparing is cheaper than cutting it out and looking it up. */
  #lastText = ".";
  #lastHead: TokenHead | undefined;

  constructor(config: BearerConfig) {
    this.#algorithms = new Set(config.algorithms ?? (config.secret ? ["HS256"] : asymmetric));
    this.#types = config.types === undefined ? undefined : new Set(config.types.map((type) => type.toLowerCase()));
    this.#maxSize = config.maxTokenSize ?? 16_384;
    this.#issuer = config.issuer ?? "";
    this.#audiences = new Set(config.audiences);
    this.#skew = (config.clockSkew ?? 60_000) / 1000;
  }

  /** Seconds that clocks may differ. */
  get skew(): number {
    return this.#skew;
  }

  /** Steps 1 and 2. */
  headOf(token: string): TokenHead | TokenFault {
    if (token.length > this.#maxSize) return "the token is too long";
    if (!parts.test(token)) return "the token is malformed";
    if (this.#lastHead !== undefined && token.startsWith(this.#lastText)) return this.#lastHead;
    const text = token.slice(0, token.indexOf(".") + 1);
    let head: TokenHead | TokenFault | undefined = this.#heads.get(text);
    if (head === undefined) {
      head = this.#readHead(token);
      if (typeof head === "string") return head;
      if (this.#heads.size >= mostHeads) this.#heads.clear();
      this.#heads.set(text, head);
    }
    this.#lastText = text;
    this.#lastHead = head;
    return head;
  }

  #readHead(token: string): TokenHead | TokenFault {
    let head: Claims;
    try {
      head = decodeProtectedHeader(token);
    } catch {
      return "the token is malformed";
    }
    const { alg, kid, typ } = head;
    if (typeof alg !== "string" || !this.#algorithms.has(alg)) return "the token's algorithm is not accepted";
    if ("crit" in head || "b64" in head) return "the token asks for an extension that is not known";
    if (!this.#isType(typ)) return "the token is of another type";
    if (kid !== undefined && (typeof kid !== "string" || kid.length > 1024)) return "the token is malformed";
    return { algorithm: alg, kid };
  }

  #isType(type: unknown): boolean {
    if (type === undefined) return this.#types === undefined;
    if (typeof type !== "string") return false;
    const lower = type.toLowerCase().replace(/^application\//, "");
    return this.#types === undefined ? lower === "jwt" || lower === "at+jwt" : this.#types.has(lower);
  }

  /** Step 3; undefined: there is no such key. */
  isSigned(token: string, head: TokenHead, keys: SigningKeys): boolean | undefined {
    const checks = keys.checks(head);
    if (checks.length === 0) return undefined;
    const end = token.lastIndexOf(".");
    const signed = Buffer.from(token.slice(0, end), "latin1");
    const signature = Buffer.from(token.slice(end + 1), "base64url");
    for (let i = 0; i < checks.length && i < mostTried; i++) if (checks[i]?.(signed, signature) === true) return true;
    return false;
  }

  /** Step 4, for a token that is signed. `now` in seconds since 1970. */
  claimsOf(token: string, now: number): Claims | TokenFault {
    const claims = payloadOf(token);
    if (claims === undefined) return "the token is malformed";
    const { iss, aud, exp, nbf, iat } = claims;
    if (iss !== this.#issuer) return "the token is of another issuer";
    if (!this.#isForUs(aud)) return "the token is for another audience";
    if (!isTime(exp)) return "the token has no end";
    if (exp + this.#skew <= now) return "the token has expired";
    return this.#notYet(nbf, now) ?? this.#notYet(iat, now) ?? claims;
  }

  #notYet(time: unknown, now: number): TokenFault | undefined {
    if (time === undefined) return undefined;
    if (!isTime(time)) return "the token is malformed";
    return time - this.#skew > now ? "the token is not valid yet" : undefined;
  }

  #isForUs(audience: unknown): boolean {
    if (typeof audience === "string") return this.#audiences.has(audience);
    return Array.isArray(audience) && audience.some((each) => typeof each === "string" && this.#audiences.has(each));
  }
}

function isTime(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

const strictUtf8 = new TextDecoder("utf-8", { fatal: true });

/** The claims of a token whose parts are base64url; undefined: they are no object in JSON and UTF-8. */
function payloadOf(token: string): Claims | undefined {
  const text = token.slice(token.indexOf(".") + 1, token.lastIndexOf("."));
  // One character holds six bits of a byte.
  if (text.length % 4 === 1) return undefined;
  const bytes = Buffer.from(text, "base64url");
  try {
    const claims: unknown = JSON.parse(isAscii(bytes) ? bytes.toString("latin1") : strictUtf8.decode(bytes));
    return typeof claims === "object" && claims !== null && !Array.isArray(claims) ? (claims as Claims) : undefined;
  } catch {
    return undefined;
  }
}
