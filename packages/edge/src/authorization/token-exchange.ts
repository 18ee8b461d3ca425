/**
 * Gets a token for the destination in exchange for the client's (RFC 8693). What was got is kept until shortly before it, or the client's, expires, by a digest
 * of the client's token; requests that want the same one wait for one question.
 */
import { createHash } from "node:crypto";
import type { Clock } from "@proxy/cluster";
import type { TokenExchangeConfig } from "@proxy/config";
import type { ProxyLogger } from "@proxy/pipeline";
import { askService, jsonObject } from "../authentication/ask-service.ts";

export type ExchangeResult =
  | { readonly kind: "token"; readonly token: string }
  /** The service will not give one for this client. */
  | { readonly kind: "refused" }
  /** It could not be asked, or does not know who asks. */
  | { readonly kind: "unavailable" };

export interface TokenExchangeServices {
  readonly clock: Clock;
  readonly fetch: typeof globalThis.fetch;
  readonly log: ProxyLogger;
}

const grant = "urn:ietf:params:oauth:grant-type:token-exchange";
const accessToken = "urn:ietf:params:oauth:token-type:access_token";

/** Tokens kept, and questions at a time. */
const mostKept = 10_000;
const mostAsked = 256;
/** A token that expires on the way is of no use. */
const margin = 10_000;
/** A service that does not say how long: a short time. */
const unsaid = 60_000;

interface Kept {
  readonly result: ExchangeResult;
  readonly until: number;
}

export class TokenExchange {
  readonly #config: TokenExchangeConfig;
  readonly #services: TokenExchangeServices;
  /** By digest, the oldest first. */
  readonly #kept = new Map<string, Kept>();
  readonly #asked = new Map<string, Promise<ExchangeResult>>();

  constructor(config: TokenExchangeConfig, services: TokenExchangeServices) {
    this.#config = config;
    this.#services = services;
  }

  /** Never rejects. `expiresAt`: when the client's token does, in milliseconds since 1970. */
  exchange(token: string, expiresAt: number | undefined): Promise<ExchangeResult> {
    const key = createHash("sha256").update(token).digest("base64url");
    const kept = this.#kept.get(key);
    if (kept !== undefined) {
      if (kept.until > this.#services.clock.date()) return Promise.resolve(kept.result);
      this.#kept.delete(key);
    }
    const asked = this.#asked.get(key);
    if (asked !== undefined) return asked;
    if (this.#asked.size >= mostAsked) return Promise.resolve({ kind: "unavailable" });
    const pending = this.#ask(key, token, expiresAt).finally(() => this.#asked.delete(key));
    this.#asked.set(key, pending);
    return pending;
  }

  async #ask(key: string, token: string, expiresAt = Number.POSITIVE_INFINITY): Promise<ExchangeResult> {
    const { endpoint = "", timeout = 10_000 } = this.#config;
    try {
      const { status, body } = await askService(this.#services.fetch, {
        url: endpoint, method: "POST", headers: this.#headers(), body: this.#form(token), timeout, maxBytes: 262_144,
      });
      const answer = jsonObject(body);
      if (status === 200 && typeof answer?.["access_token"] === "string" && isBearer(answer["token_type"])) {
        const { clock } = this.#services;
        const lifetime = typeof answer["expires_in"] === "number" ? answer["expires_in"] * 1000 : unsaid;
        const result: ExchangeResult = { kind: "token", token: answer["access_token"] };
        this.#keep(key, { result, until: Math.min(clock.date() + lifetime, expiresAt) - margin });
        return result;
      }
      // `invalid_client` and the like are the gateway's fault, not the client's (RFC 6749, 5.2; RFC 8693, 2.2.2).
      const error = answer?.["error"];
      if (status === 400 && (error === "invalid_grant" || error === "invalid_request" || error === "invalid_target")) return { kind: "refused" };
      this.#tell(`status ${status}${typeof error === "string" ? `, ${error.slice(0, 40)}` : ""}`);
    } catch (error) {
      this.#tell((error as Error).message);
    }
    return { kind: "unavailable" };
  }

  #headers(): Record<string, string> {
    const { clientId, clientSecret } = this.#config;
    const headers: Record<string, string> = { "content-type": "application/x-www-form-urlencoded", accept: "application/json" };
    if (clientId !== undefined && clientSecret !== undefined) {
      // RFC 6749, 2.3.1: both are encoded as in a form first.
      const pair = `${formEncoded(clientId)}:${formEncoded(clientSecret)}`;
      headers["authorization"] = `Basic ${Buffer.from(pair).toString("base64")}`;
    }
    return headers;
  }

  #form(token: string): string {
    const { clientId, clientSecret, audience, resource, scope } = this.#config;
    const form = new URLSearchParams({ grant_type: grant, subject_token: token, subject_token_type: accessToken });
    if (audience) form.set("audience", audience);
    if (resource) form.set("resource", resource);
    if (scope) form.set("scope", scope);
    if (clientId && clientSecret === undefined) form.set("client_id", clientId);
    return form.toString();
  }

  #keep(key: string, kept: Kept): void {
    if (this.#kept.size >= mostKept) this.#kept.delete(this.#kept.keys().next().value ?? "");
    this.#kept.set(key, kept);
  }

  #tell(reason: string): void {
    this.#services.log.event("warning", "token-exchange-failed", { reason });
  }
}

function isBearer(type: unknown): boolean {
  return typeof type === "string" && type.toLowerCase() === "bearer";
}

function formEncoded(text: string): string {
  return new URLSearchParams({ "": text }).toString().slice(1);
}
