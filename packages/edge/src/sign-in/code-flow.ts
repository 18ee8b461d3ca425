/** What OpenID Connect and OAuth 2 share: one code flow (RFC 6749, 4.1) with PKCE (RFC 7636), spoken by `openid-client`. */
import type { CodeFlowConfig } from "@proxy/config";
import {
  allowInsecureRequests,
  AuthorizationResponseError,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  calculatePKCECodeChallenge,
  ClientError,
  ClientSecretBasic,
  ClientSecretPost,
  Configuration,
  customFetch,
  None,
  randomPKCECodeVerifier,
  refreshTokenGrant,
  ResponseBodyError,
  tokenRevocation,
  WWWAuthenticateChallengeError,
  type ClientAuth,
  type CustomFetch,
  type ServerMetadata,
  type TokenEndpointResponse,
  type TokenEndpointResponseHelpers,
} from "openid-client";
import { askService } from "../authentication/ask-service.ts";
import type { SchemeServices } from "../authentication/scheme.ts";
import type { Session, SessionTokens } from "../session/session.ts";
import type { SignInSecrets } from "./pending-sign-ins.ts";
import { secretIn } from "./secret-file.ts";
import { ProviderUnavailableError, SignInRefusedError } from "./sign-in-errors.ts";

export type Tokens = TokenEndpointResponse & TokenEndpointResponseHelpers;

/** Bytes that another party may answer with. */
export const largestAnswer = 1_048_576;
/** Statuses of responses that have no body. */
const bodiless: ReadonlySet<number> = new Set([204, 205, 304]);

export class CodeFlow {
  readonly #config: CodeFlowConfig;
  readonly #services: SchemeServices;
  readonly #auth: ClientAuth;
  readonly fetch: CustomFetch;

  /** Throws `TypeError` for a secret that cannot be read. */
  constructor(config: CodeFlowConfig, services: SchemeServices) {
    this.#config = config;
    this.#services = services;
    const secret = config.clientSecret ?? (config.clientSecretFile === undefined ? undefined : secretIn(config.clientSecretFile));
    if (secret === undefined) this.#auth = None();
    else this.#auth = config.clientAuthentication === "Basic" ? ClientSecretBasic(secret) : ClientSecretPost(secret);
    this.fetch = async (url, { method, headers, body }) => {
      const question = { url, method, headers, body: body === undefined || body === null ? undefined : String(body), timeout: this.timeout * 1000, maxBytes: largestAnswer, redirects: true };
      const answer = await askService(services.fetch, question).catch((error: unknown) => {
        throw new ProviderUnavailableError(error instanceof Error ? error.message : "the other party cannot be asked");
      });
      return new Response(bodiless.has(answer.status) ? null : answer.body, { status: answer.status, headers: answer.headers });
    };
  }

  get clientId(): string {
    return this.#config.clientId ?? "";
  }

  get auth(): ClientAuth {
    return this.#auth;
  }

  /** What the library is to know of the other party. */
  client(metadata: ServerMetadata): Configuration {
    const client = new Configuration(metadata, this.clientId, undefined, this.#auth);
    for (const prepare of this.executed(metadata.issuer)) prepare(client);
    client[customFetch] = this.fetch;
    client.timeout = this.timeout;
    return client;
  }

  /** What is said to the library of a party at `url`: loopback addresses need no TLS. */
  executed(url: string): ((client: Configuration) => void)[] {
    return this.#config.requireHttps === false || isLoopback(url) ? [allowInsecureRequests] : [];
  }

  /** Seconds. */
  get timeout(): number {
    return (this.#config.timeout ?? 10_000) / 1000;
  }

  async authorizationUrl(client: Configuration, parameters: Readonly<Record<string, string>>): Promise<{ readonly url: string; readonly secrets: SignInSecrets }> {
    const verifier = randomPKCECodeVerifier();
    const url = buildAuthorizationUrl(client, {
      ...this.#config.authorizationParameters,
      ...parameters,
      code_challenge: await calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
    });
    return { url: url.href, secrets: { verifier } };
  }

  /** Takes the answer to an authorization request, and gets the tokens for it. */
  async tokens(client: Configuration, parameters: URLSearchParams, expected: { readonly state: string; readonly redirectUri: string; readonly secrets: SignInSecrets; readonly nonce?: string | undefined }): Promise<Tokens> {
    const url = new URL(expected.redirectUri);
    url.search = parameters.toString();
    const { secrets, state, nonce } = expected;
    return told(authorizationCodeGrant(client, url, { pkceCodeVerifier: secrets["verifier"] ?? "", expectedState: state, ...(nonce === undefined ? {} : { expectedNonce: nonce, idTokenExpected: true }) }));
  }

  kept(tokens: Tokens, before?: SessionTokens): SessionTokens | undefined {
    if (this.#config.saveTokens !== true) return undefined;
    const seconds = tokens.expiresIn();
    return {
      accessToken: tokens.access_token,
      refreshToken: tokens.refresh_token ?? before?.refreshToken,
      idToken: tokens.id_token ?? before?.idToken,
      expiresAt: seconds === undefined ? undefined : this.#services.clock.date() + seconds * 1000,
    };
  }

  needsRefresh({ tokens }: Session): boolean {
    if (tokens?.refreshToken === undefined || tokens.expiresAt === undefined) return false;
    return tokens.expiresAt - this.#services.clock.date() <= (this.#config.refreshBefore ?? 60_000);
  }

  /** New tokens; "ended" when the refresh token is good no more. */
  async refreshed(client: Configuration, { tokens }: Session): Promise<Tokens | "ended"> {
    try {
      return await told(refreshTokenGrant(client, tokens?.refreshToken ?? ""));
    } catch (error) {
      if (error instanceof SignInRefusedError) return "ended";
      throw error;
    }
  }

  async revoke(client: Configuration, { tokens }: Session): Promise<void> {
    if (tokens?.refreshToken === undefined || client.serverMetadata().revocation_endpoint === undefined) return;
    await tokenRevocation(client, tokens.refreshToken, { token_type_hint: "refresh_token" });
  }
}

/** `pending` with errors that say whose fault it is. */
export async function told<T>(pending: Promise<T>): Promise<T> {
  try {
    return await pending;
  } catch (error) {
    throw toldError(error);
  }
}

function toldError(error: unknown): Error {
  // The library puts errors of its own around what its requests throw.
  for (let cause = error; cause instanceof Error; cause = cause.cause) if (cause instanceof ProviderUnavailableError) return cause;
  if (error instanceof AuthorizationResponseError) {
    if (error.error === "temporarily_unavailable" || error.error === "server_error") return new ProviderUnavailableError(`the other party answered ${error.error}`, { cause: error });
    return new SignInRefusedError(`the other party answered ${error.error}`, { cause: error, status: error.error === "access_denied" ? 403 : 400 });
  }
  if (error instanceof ResponseBodyError || error instanceof WWWAuthenticateChallengeError) {
    if (error.status >= 500 || error.status === 429) return new ProviderUnavailableError(`the other party answered ${error.status}`, { cause: error });
    return new SignInRefusedError("the other party gives no tokens for its answer", { cause: error });
  }
  if (error instanceof ClientError && !isOutage(error)) return new SignInRefusedError("the other party's answer is not good", { cause: error });
  return new ProviderUnavailableError("the other party does not answer as it should", { cause: error });
}

/** Answers that are no answers of the protocol: of something in front of it that is down. */
function isOutage({ code, cause }: ClientError): boolean {
  if (code === "OAUTH_TIMEOUT" || code === "OAUTH_ABORT") return true;
  return cause instanceof Response && (cause.status >= 500 || cause.status === 429);
}

export function isLoopback(url: string): boolean {
  const host = URL.canParse(url) ? new URL(url).hostname : "";
  return host === "localhost" || host.endsWith(".localhost") || host === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(host);
}
