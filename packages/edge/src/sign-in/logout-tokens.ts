/** What a provider says of sessions that ended there (OpenID Connect Back-Channel Logout 1.0, 2.4 to 2.6): a signed token, good once. */
import type { OpenIdConnectConfig } from "@proxy/config";
import { keySource, type KeySource } from "../authentication/bearer/key-source.ts";
import { TokenRules, type Claims } from "../authentication/bearer/token-rules.ts";
import type { SchemeServices } from "../authentication/scheme.ts";
import { ProviderUnavailableError, SignInRefusedError } from "./sign-in-errors.ts";
import type { EndedWho } from "./store/ended-sessions.ts";
import { SingleUse } from "./store/single-use.ts";

const event = "http://schemas.openid.net/event/backchannel-logout";

export class LogoutTokens {
  readonly #rules: TokenRules;
  readonly #keys: KeySource;
  readonly #services: SchemeServices;
  readonly #used: SingleUse;

  constructor(scheme: string, { authority, clientId = "", timeout, requireHttps }: OpenIdConnectConfig, services: SchemeServices) {
    const rules = { issuer: authority, audiences: [clientId], types: ["logout+jwt", "jwt"], timeout, requireHttps };
    this.#rules = new TokenRules(rules);
    this.#keys = keySource(scheme, rules, services, () => {});
    this.#services = services;
    this.#used = new SingleUse(services.store, "logout token", scheme);
  }

  start(): void {
    this.#keys.start();
  }

  close(): void {
    this.#keys.close();
  }

  /**
   * Has `end` end the sessions that the token names. Rejects with `SignInRefusedError`, or `ProviderUnavailableError` while it cannot be known; with what `end` rejects with
   * the token is not used up.
   */
  async ended(token: string, end: (who: EndedWho, begunUntil: number) => Promise<void>): Promise<void> {
    const { events, nonce, jti, sid, sub, exp, iat } = await this.#claims(token);
    const isEvent = typeof events === "object" && events !== null && typeof (events as Claims)[event] === "object";
    const isNamed = typeof sid === "string" || typeof sub === "string";
    if (!isEvent || nonce !== undefined || typeof jti !== "string" || typeof iat !== "number" || !isNamed) throw new SignInRefusedError("the token is none of a logout");
    const { skew } = this.#rules;
    // Sessions that came after it are not meant, so that ending twice is ending once.
    await end({ remoteSession: textOf(sid), subject: textOf(sub) }, Math.min(this.#services.clock.date(), (iat + skew) * 1000));
    if (!(await this.#used.take(jti, (Number(exp) + skew) * 1000))) throw new SignInRefusedError("the token was used before");
  }

  async #claims(token: string): Promise<Claims> {
    const head = this.#rules.headOf(token);
    if (typeof head === "string") throw new SignInRefusedError(head);
    let keys = await this.#keys.load();
    let isSigned = keys === undefined ? undefined : this.#rules.isSigned(token, head, keys);
    if (isSigned === undefined) {
      keys = await this.#keys.renew();
      if (keys === undefined) throw new ProviderUnavailableError("the keys of the provider cannot be read", { retryAfter: this.#keys.retryAfter });
      isSigned = this.#rules.isSigned(token, head, keys);
    }
    if (isSigned !== true) throw new SignInRefusedError("the token is signed by none of the provider's keys");
    const claims = this.#rules.claimsOf(token, this.#services.clock.date() / 1000);
    if (typeof claims === "string") throw new SignInRefusedError(claims);
    return claims;
  }
}

function textOf(claim: unknown): string | undefined {
  return typeof claim === "string" ? claim : undefined;
}
