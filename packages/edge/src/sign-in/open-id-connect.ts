/** Sign-in with OpenID Connect (Core 1.0): discovery, code flow with PKCE and nonce, refresh, sign-out at the provider (RP-Initiated Logout 1.0). */
import type { OpenIdConnectConfig } from "@proxy/config";
import {
  buildEndSessionUrl,
  customFetch,
  discovery,
  enableNonRepudiationChecks,
  fetchUserInfo,
  getJwksCache,
  randomNonce,
  setJwksCache,
  type Configuration,
  type ServerMetadata,
} from "openid-client";
import type { SchemeServices } from "../authentication/scheme.ts";
import type { ClaimValue, Session, SessionTokens } from "../session/session.ts";
import { CodeFlow, told } from "./code-flow.ts";
import type { SignInSecrets } from "./pending-sign-ins.ts";
import { LogoutTokens } from "./logout-tokens.ts";
import { RemoteDocument } from "./remote-document.ts";
import type { SignedIn, SignInProtocol } from "./remote-scheme.ts";
import { SignInRefusedError } from "./sign-in-errors.ts";
import type { EndedWho } from "./store/ended-sessions.ts";

/** Seconds after which the library fetches keys again when none fits a token. It came from the provider itself: nobody can have this happen at will. */
const keysMayBeAskedAgain = 60;
const protocolClaims = new Set(["iss", "aud", "azp", "exp", "iat", "nbf", "jti", "nonce", "at_hash", "c_hash", "s_hash", "auth_time", "acr", "amr", "sid", "typ"]);

export class OpenIdConnectProtocol implements SignInProtocol {
  readonly callbackMethod: "GET" | "POST";
  readonly stateParameter = "state";
  readonly ownClaims = protocolClaims;
  readonly #config: OpenIdConnectConfig;
  readonly #flow: CodeFlow;
  readonly #metadata: RemoteDocument<ServerMetadata>;
  readonly #logoutTokens: LogoutTokens | undefined;
  #keys: ReturnType<typeof getJwksCache>;

  constructor(scheme: string, config: OpenIdConnectConfig, services: SchemeServices) {
    this.callbackMethod = config.responseMode === "FormPost" ? "POST" : "GET";
    this.#config = config;
    this.#flow = new CodeFlow(config, services);
    this.#logoutTokens = config.backChannelLogoutPath === undefined ? undefined : new LogoutTokens(scheme, config, services);
    this.#metadata = new RemoteDocument({
      load: () => this.#discover(),
      clock: services.clock,
      onFailure: (error, hasOlder) => services.log.event("warning", "provider-unavailable", { scheme, hasOlder, error }),
    });
  }

  prepare(): void {
    // What fails is told, and tried again when somebody signs in.
    this.#metadata.get().catch(() => {});
    this.#logoutTokens?.start();
  }

  close(): void {
    this.#logoutTokens?.close();
  }

  get backChannelPath(): string | undefined {
    return this.#config.backChannelLogoutPath;
  }

  get frontChannelPath(): string | undefined {
    return this.#config.frontChannelLogoutPath;
  }

  /** Where the session has a name at the provider, only who knows it may end it: any site can have a frame opened. */
  isEnded({ remoteSession }: Session, parameters: URLSearchParams): boolean {
    const issuers = parameters.getAll("iss");
    const names = parameters.getAll("sid");
    if (issuers.length > 1 || names.length > 1 || (issuers[0] ?? this.#config.authority) !== this.#config.authority) return false;
    return remoteSession === undefined || names[0] === remoteSession;
  }

  async ended(form: URLSearchParams, end: (who: EndedWho, begunUntil: number) => Promise<void>): Promise<void> {
    const [token, ...others] = form.getAll("logout_token");
    if (token === undefined || others.length > 0 || this.#logoutTokens === undefined) throw new SignInRefusedError("there is not exactly one logout token");
    return this.#logoutTokens.ended(token, end);
  }

  async start(state: string, redirectUri: string): Promise<{ readonly url: string; readonly secrets: SignInSecrets }> {
    const client = await this.#client();
    const nonce = randomNonce();
    const { scopes = ["openid", "profile"] } = this.#config;
    const mode = this.callbackMethod === "POST" ? { response_mode: "form_post" } : {};
    const { url, secrets } = await this.#flow.authorizationUrl(client, { redirect_uri: redirectUri, scope: scopes.join(" "), state, nonce, ...mode });
    return { url, secrets: { ...secrets, nonce } };
  }

  async finish(parameters: URLSearchParams, secrets: SignInSecrets, state: string, redirectUri: string): Promise<SignedIn> {
    const client = await this.#client();
    const tokens = await this.#withKeys(client, this.#flow.tokens(client, parameters, { state, redirectUri, secrets, nonce: secrets["nonce"] ?? "" }));
    const claims = tokens.claims() as Record<string, ClaimValue> & { sub: string };
    const asked = this.#config.claimsFromUserInfo === true ? await told(fetchUserInfo(client, tokens.access_token, claims.sub)) : {};
    return { claims: { ...(asked as Record<string, ClaimValue>), ...claims }, tokens: this.#flow.kept(tokens), subject: claims.sub, remoteSession: typeof claims["sid"] === "string" ? claims["sid"] : undefined };
  }

  needsRefresh(session: Session): boolean {
    return this.#flow.needsRefresh(session);
  }

  async refresh(session: Session): Promise<SessionTokens | "ended"> {
    const client = await this.#client();
    const tokens = await this.#withKeys(client, this.#flow.refreshed(client, session));
    if (tokens === "ended") return "ended";
    // Core 1.0, 12.2: it must be the same person. Which one it was says the token of the sign-in.
    const before = subjectOf(session.tokens?.idToken);
    const after = tokens.claims()?.sub;
    if (after !== undefined && before !== undefined && after !== before) return "ended";
    return this.#flow.kept(tokens, session.tokens) ?? "ended";
  }

  async signOutUrl(session: Session, signedOutUrl: string): Promise<string | undefined> {
    try {
      const client = await this.#client();
      if (client.serverMetadata().end_session_endpoint === undefined) return undefined;
      const hint = session.tokens?.idToken;
      return buildEndSessionUrl(client, { post_logout_redirect_uri: signedOutUrl, ...(hint === undefined ? {} : { id_token_hint: hint }) }).href;
    } catch {
      // The session here is over in any case.
      return undefined;
    }
  }

  async forget(session: Session): Promise<void> {
    try {
      await this.#flow.revoke(await this.#client(), session);
    } catch {
      // It ends by itself some time.
    }
  }

  /** One for each use, so that its keys are those known now. */
  async #client(): Promise<Configuration> {
    const client = this.#flow.client(await this.#metadata.get());
    enableNonRepudiationChecks(client);
    if (this.#keys !== undefined) {
      const { jwks, uat } = this.#keys;
      setJwksCache(client, { jwks, uat: Math.min(uat, Math.floor(Date.now() / 1000) - keysMayBeAskedAgain) });
    }
    return client;
  }

  async #withKeys<T>(client: Configuration, pending: Promise<T>): Promise<T> {
    try {
      return await pending;
    } finally {
      const fetched = getJwksCache(client);
      if (fetched !== undefined && fetched.uat > Math.floor(Date.now() / 1000) - keysMayBeAskedAgain) this.#keys = fetched;
    }
  }

  async #discover(): Promise<ServerMetadata> {
    const { authority = "" } = this.#config;
    const client = await discovery(new URL(authority), this.#flow.clientId, undefined, this.#flow.auth, {
      [customFetch]: this.#flow.fetch,
      timeout: this.#flow.timeout,
      execute: this.#flow.executed(authority),
    });
    return client.serverMetadata();
  }
}

/** `sub` of a token that was checked when it came. */
function subjectOf(idToken: string | undefined): unknown {
  const payload = idToken?.split(".")[1];
  return payload === undefined ? undefined : (JSON.parse(Buffer.from(payload, "base64url").toString("utf8")) as { readonly sub?: unknown }).sub;
}
