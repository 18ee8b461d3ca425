/** Sign-in with providers that speak OAuth 2 alone: who it is says their endpoint for the bearer of the access token. */
import type { OAuth2Config } from "@proxy/config";
import type { Configuration } from "openid-client";
import { askService, jsonObject } from "../authentication/ask-service.ts";
import type { SchemeServices } from "../authentication/scheme.ts";
import type { ClaimValue, Session, SessionTokens } from "../session/session.ts";
import { CodeFlow, largestAnswer, told } from "./code-flow.ts";
import type { SignInSecrets } from "./pending-sign-ins.ts";
import type { SignedIn, SignInProtocol } from "./remote-scheme.ts";
import { ProviderUnavailableError, SignInRefusedError } from "./sign-in-errors.ts";

export class OAuth2Protocol implements SignInProtocol {
  readonly callbackMethod = "GET";
  readonly stateParameter = "state";
  readonly ownClaims: ReadonlySet<string> = new Set();
  readonly #config: OAuth2Config;
  readonly #services: SchemeServices;
  readonly #flow: CodeFlow;
  readonly #client: Configuration;

  constructor(config: OAuth2Config, services: SchemeServices) {
    this.#config = config;
    this.#services = services;
    this.#flow = new CodeFlow(config, services);
    const { authorizationEndpoint = "", tokenEndpoint = "" } = config;
    this.#client = this.#flow.client({
      issuer: config.issuer ?? new URL(authorizationEndpoint).origin,
      authorization_endpoint: authorizationEndpoint,
      token_endpoint: tokenEndpoint,
      authorization_response_iss_parameter_supported: config.issuer !== undefined,
    });
  }

  start(state: string, redirectUri: string): Promise<{ readonly url: string; readonly secrets: SignInSecrets }> {
    const { scopes = [] } = this.#config;
    return this.#flow.authorizationUrl(this.#client, { redirect_uri: redirectUri, state, ...(scopes.length === 0 ? {} : { scope: scopes.join(" ") }) });
  }

  async finish(parameters: URLSearchParams, secrets: SignInSecrets, state: string, redirectUri: string): Promise<SignedIn> {
    const tokens = await this.#flow.tokens(this.#client, parameters, { state, redirectUri, secrets });
    return { claims: await this.#claims(tokens.access_token), tokens: this.#flow.kept(tokens) };
  }

  needsRefresh(session: Session): boolean {
    return this.#flow.needsRefresh(session);
  }

  async refresh(session: Session): Promise<SessionTokens | "ended"> {
    const tokens = await this.#flow.refreshed(this.#client, session);
    return tokens === "ended" ? "ended" : (this.#flow.kept(tokens, session.tokens) ?? "ended");
  }

  async #claims(accessToken: string): Promise<Readonly<Record<string, ClaimValue>>> {
    const url = this.#config.userInformationEndpoint ?? "";
    const headers = { Authorization: `Bearer ${accessToken}`, Accept: "application/json", "User-Agent": "proxy" };
    const { status, body } = await told(askService(this.#services.fetch, { url, headers, timeout: this.#flow.timeout * 1000, maxBytes: largestAnswer }));
    if (status >= 500 || status === 429) throw new ProviderUnavailableError(`the other party answered ${status} to the question who it is`);
    if (status !== 200) throw new SignInRefusedError(`the other party answered ${status} to the question who it is`);
    const claims = jsonObject(body);
    if (claims === undefined) throw new SignInRefusedError("the other party did not say who it is");
    return claims as Record<string, ClaimValue>;
  }
}
