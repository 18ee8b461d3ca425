/**
 * Sign-in by another party. The protocol differs, the way does not:
 *
 * 1. A navigation that needs a session, or comes to `loginPath`, is sent to the other party; a sealed cookie remembers `state`, secrets, and where it was going.
 * 2. The other party sends the browser to `callbackPath` with its answer. Cookie and `state` must fit, once.
 * 3. The protocol takes the answer, and says who it is.
 * 4. The session goes into the cookie of the sign-in scheme, and the browser goes on to where it was going.
 * 5. `logoutPath` ends the session, and sends the browser to the other party to end its own.
 */
import { defaultCallbackPath, defaultSignInScheme, type RemoteSignInConfig } from "@proxy/config";
import type { Exchange, HeaderList, RequestHead } from "@proxy/http";
import type { Answer, AuthenticationResult, Challenge, SchemeEndpoint, SchemeServices } from "../authentication/scheme.ts";
import { newSession, type ClaimValue, type Session, type SessionTokens } from "../session/session.ts";
import { give, pageTo, redirectAnswer, statusAnswer } from "./answers.ts";
import { isNavigation, isOwnRequest } from "./browser-request.ts";
import { keptClaims } from "./kept-claims.ts";
import { CookieScheme, sessionNeeded, withoutCookies, type SessionOwner } from "./cookie-scheme.ts";
import { readForm } from "./form-body.ts";
import { isPendingSignIn, PendingSignIns, type PendingSignIn, type SignInSecrets } from "./pending-sign-ins.ts";
import { Refreshes, type Refreshed } from "./refreshes.ts";
import { localUrl } from "./return-url.ts";
import { ProviderUnavailableError, SignInRefusedError } from "./sign-in-errors.ts";
import type { EndedWho } from "./store/ended-sessions.ts";
import { SignInStoreError } from "./store/sign-in-store.ts";
import { SingleUse } from "./store/single-use.ts";

/** Who the other party says it is. */
export interface SignedIn {
  readonly claims: Readonly<Record<string, ClaimValue>>;
  /** Where the protocol has a name beside the claims. */
  readonly user?: string | undefined;
  readonly tokens?: SessionTokens | undefined;
  /** Who it is to the other party, and in which session there, for when that ends it. */
  readonly subject?: string | undefined;
  readonly remoteSession?: string | undefined;
}

/** What differs between protocols. Functions reject with `ProviderUnavailableError` or `SignInRefusedError`. */
export interface SignInProtocol {
  /** How the other party's answer comes. */
  readonly callbackMethod: "GET" | "POST";
  /** The parameter of the answer that gives `state` back. */
  readonly stateParameter: string;
  /** Claims that say something of the answer, not of the user: left out of sessions. */
  readonly ownClaims: ReadonlySet<string>;
  /** Where the browser is sent, and what is to be remembered meanwhile. */
  start(state: string, redirectUri: string): Promise<{ readonly url: string; readonly secrets: SignInSecrets }>;
  finish(parameters: URLSearchParams, secrets: SignInSecrets, state: string, redirectUri: string): Promise<SignedIn>;
  /** Where the browser ends the other party's session; undefined: there is no such place, or it cannot be found out. */
  signOutUrl?(session: Session, signedOutUrl: string): Promise<string | undefined>;
  /** What else is to be done when a session ends. Must not reject. */
  forget?(session: Session): Promise<void>;
  /** Whether tokens of the session are to be refreshed. */
  needsRefresh?(session: Session): boolean;
  /** New tokens of the session; "ended" when the other party gives none any more. */
  refresh?(session: Session): Promise<SessionTokens | "ended">;
  /** Whether a request to the callback path is the other party's, through the browser, to end the session here. */
  isSignOut?(parameters: URLSearchParams): boolean;
  /** Where the other party itself, and no browser, says that sessions ended; `ended` reads what it posts there, and has `end` end them: those that began by then. */
  readonly backChannelPath?: string | undefined;
  /** Where the other party's page has the browser end the session here, in a frame; `isEnded` says whether that one is meant. */
  readonly frontChannelPath?: string | undefined;
  isEnded?(session: Session, parameters: URLSearchParams): boolean;
  ended?(form: URLSearchParams, end: (who: EndedWho, begunUntil: number) => Promise<void>): Promise<void>;
  /** Reads ahead what it needs. */
  prepare?(): void;
  close?(): void;
}

const largestForm = 512 * 1024;
/** Sign-ins that wait for the other party at a time: anybody can begin one and come back with a made-up answer, for which it is asked. */
const mostFinishing = 256;

export class RemoteScheme implements SessionOwner {
  readonly name: string;
  readonly hidesCredentialsEverywhere = true;
  readonly endpoints: readonly SchemeEndpoint[];
  readonly #protocol: SignInProtocol;
  readonly #config: RemoteSignInConfig;
  readonly #services: SchemeServices;
  readonly #states: SingleUse;
  readonly #refreshes: Refreshes;
  readonly #origin: string;
  readonly #redirectUri: string;
  #finishing = 0;
  #keeper: { readonly cookie: CookieScheme; readonly pending: PendingSignIns } | undefined;

  constructor(name: string, config: RemoteSignInConfig, { protocol, services }: { readonly protocol: SignInProtocol; readonly services: SchemeServices }) {
    this.name = name;
    this.#protocol = protocol;
    this.#config = config;
    this.#services = services;
    this.#origin = config.publicOrigin ?? "";
    const callbackPath = config.callbackPath ?? defaultCallbackPath(name);
    this.#redirectUri = this.#origin + callbackPath;
    this.#refreshes = new Refreshes(services.clock, new SingleUse(services.store, "refresh", name));
    this.#states = new SingleUse(services.store, "state", name);
    const { loginPath, logoutPath } = config;
    this.endpoints = [
      { path: callbackPath, methods: protocol.isSignOut === undefined ? [protocol.callbackMethod] : ["GET", "POST"], handle: (exchange) => this.#callback(exchange) },
      ...(loginPath === undefined ? [] : [{ path: loginPath, methods: ["GET"], handle: (exchange: Exchange) => this.#login(exchange) }]),
      ...(logoutPath === undefined ? [] : [{ path: logoutPath, methods: ["GET", "POST"], handle: (exchange: Exchange) => this.#logout(exchange) }]),
      ...(protocol.frontChannelPath === undefined ? [] : [{ path: protocol.frontChannelPath, methods: ["GET"], handle: (exchange: Exchange) => this.#endedInFrame(exchange) }]),
      ...(protocol.backChannelPath === undefined ? [] : [{ path: protocol.backChannelPath, methods: ["POST"], handle: (exchange: Exchange) => this.#endedThere(exchange) }]),
    ];
  }

  authenticate(exchange: Exchange): AuthenticationResult | Promise<AuthenticationResult> {
    return this.#cookie.authenticateAs(exchange, this.name);
  }

  challenge({ request }: Exchange): Challenge | Promise<Challenge> {
    if (!isNavigation(request)) return sessionNeeded(this.name);
    return this.#begin(request, request.path + request.query).then((answer) => ({ kind: "answer", answer }));
  }

  withoutCredentials(request: RequestHead): RequestHead {
    return withoutCookies(this.#cookie.withoutCredentials(request), isPendingSignIn);
  }

  /** What `CookieScheme` asks of the owner of a session. */
  maintain(session: Session): Refreshed | Promise<Refreshed> {
    if (this.#protocol.refresh === undefined || this.isCurrent(session)) return session;
    const onFault = (error: unknown): void => this.#services.log.event("error", "sign-in-store-failed", { scheme: this.name, error });
    return this.#refreshes.of(session, () => this.#refresh(session), onFault).then((refreshed) => {
      // What is there is good for a while yet.
      const isGood = refreshed === "unavailable" && (session.tokens?.expiresAt ?? 0) > this.#services.clock.date();
      return isGood ? session : refreshed;
    });
  }

  /** Tokens are refreshed when it is time, by the first request that comes then. */
  isCurrent(session: Session): boolean {
    return this.#protocol.needsRefresh?.(session) !== true;
  }

  start(): void {
    this.#protocol.prepare?.();
  }

  close(): void {
    this.#protocol.close?.();
  }

  /** The scheme that keeps the sessions: another one after a reload. */
  get #cookie(): CookieScheme {
    return this.#kept().cookie;
  }

  get #pending(): PendingSignIns {
    return this.#kept().pending;
  }

  #kept(): { readonly cookie: CookieScheme; readonly pending: PendingSignIns } {
    const { signInScheme = defaultSignInScheme, remoteAuthenticationTimeout = 900_000 } = this.#config;
    const cookie = this.#services.scheme(signInScheme);
    if (this.#keeper !== undefined && this.#keeper.cookie === cookie) return this.#keeper;
    if (!(cookie instanceof CookieScheme)) throw new TypeError(`'${signInScheme}' is no scheme that keeps sessions`);
    const pending = new PendingSignIns({
      scheme: this.name,
      keys: cookie.keys.correlation,
      clock: this.#services.clock,
      timeout: remoteAuthenticationTimeout,
      secure: cookie.sessions.attributes.secure ?? true,
      crossSitePost: this.#protocol.callbackMethod === "POST",
    });
    return (this.#keeper = { cookie, pending });
  }

  async #refresh(session: Session): Promise<Refreshed> {
    try {
      const tokens = await this.#protocol.refresh?.(session);
      return tokens === undefined || tokens === "ended" ? "ended" : { ...session, tokens };
    } catch (error) {
      this.#services.log.event("warning", "session-refresh-failed", { scheme: this.name, error });
      return "unavailable";
    }
  }

  async #begin({ headers }: RequestHead, wanted: string | undefined): Promise<Answer> {
    const state = this.#pending.newState();
    try {
      const { url, secrets } = await this.#protocol.start(state, this.#redirectUri);
      const cookies = this.#pending.begin(headers, { state, secrets, returnUrl: localUrl(wanted) ?? "/" });
      return redirectAnswer(url, cookies);
    } catch (error) {
      return this.#failed(error, []);
    }
  }

  async #login(exchange: Exchange): Promise<void> {
    const parameters = new URLSearchParams(exchange.request.query);
    give(exchange, await this.#begin(exchange.request, parameters.get("returnUrl") ?? undefined));
  }

  async #callback(exchange: Exchange): Promise<void> {
    const { request } = exchange;
    const parameters = request.method === "POST" ? await readForm(exchange, largestForm) : new URLSearchParams(request.query);
    if (parameters === undefined) return give(exchange, statusAnswer(400));
    if (this.#protocol.isSignOut?.(parameters) === true) return give(exchange, await this.#signedOut(request));
    if (request.method !== this.#protocol.callbackMethod) return give(exchange, statusAnswer(405));
    // Before the cookie is used up: the same answer is good when it comes again.
    if (this.#finishing >= mostFinishing) return give(exchange, statusAnswer(503, [], 1));
    this.#finishing++;
    try {
      give(exchange, await this.#finish(request, parameters));
    } finally {
      this.#finishing--;
    }
  }

  async #finish({ headers }: RequestHead, parameters: URLSearchParams): Promise<Answer> {
    const states = parameters.getAll(this.#protocol.stateParameter);
    const { pending, cookies } = this.#pending.find(headers, states.length === 1 ? (states[0] as string) : null);
    try {
      const isFirst = pending !== undefined && (await this.#states.take(pending.state, this.#pending.endOf(pending)));
      if (!isFirst) return this.#failed(new SignInRefusedError("the answer belongs to no sign-in that this browser began"), cookies);
    } catch (error) {
      // Not used up either.
      return this.#failed(error, []);
    }
    return this.#complete(headers, parameters, pending, cookies);
  }

  async #complete(headers: HeaderList, parameters: URLSearchParams, { state, secrets, returnUrl }: PendingSignIn, cookies: readonly string[]): Promise<Answer> {
    try {
      const signedIn = await this.#protocol.finish(parameters, secrets, state, this.#redirectUri);
      const { user, claims } = keptClaims(signedIn, this.#config, this.#protocol.ownClaims);
      const { tokens, subject, remoteSession } = signedIn;
      const session = newSession({ scheme: this.name, user, claims, tokens, subject, remoteSession }, this.#services.clock.date());
      const lines = this.#cookie.write(headers, session);
      if (lines === undefined) return statusAnswer(500, cookies);
      const answer = this.#cookie.sessions.attributes.sameSite === "Strict" ? pageTo : redirectAnswer;
      return answer(returnUrl, [...cookies, ...lines]);
    } catch (error) {
      return this.#failed(error, cookies);
    }
  }

  async #logout(exchange: Exchange): Promise<void> {
    const { request } = exchange;
    if (!isOwnRequest(request, this.#origin)) return give(exchange, statusAnswer(403));
    const { session } = this.#cookie.sessions.find(request.headers);
    const cookies = this.#cookie.sessions.clear(request.headers);
    const own = session?.scheme === this.name ? session : undefined;
    if (own !== undefined) void this.#protocol.forget?.(own);
    try {
      if (session !== undefined) await this.#cookie.end(session);
    } catch (error) {
      // This browser's is over in any case.
      return give(exchange, this.#failed(error, cookies));
    }
    // A script cannot follow to another site, and has pages of its own.
    if ((request.headers.get("sec-fetch-mode") ?? "navigate") !== "navigate") return give(exchange, statusAnswer(204, cookies));
    const signedOut = this.#config.signedOutPath ?? "/";
    const url = own === undefined ? undefined : await this.#protocol.signOutUrl?.(own, this.#origin + signedOut);
    give(exchange, redirectAnswer(url ?? signedOut, cookies));
  }

  /** OpenID Connect Back-Channel Logout 1.0, 2.5 to 2.8. */
  async #endedThere(exchange: Exchange): Promise<void> {
    try {
      const form = await readForm(exchange, largestForm);
      if (form === undefined) return give(exchange, statusAnswer(400));
      await this.#protocol.ended?.(form, (who, begunUntil) => this.#cookie.endAll(this.name, who, begunUntil));
      give(exchange, statusAnswer(200));
    } catch (error) {
      give(exchange, this.#failed(error, []));
    }
  }

  /** OpenID Connect Front-Channel Logout 1.0, 2. */
  async #endedInFrame(exchange: Exchange): Promise<void> {
    const { request } = exchange;
    const { session } = this.#cookie.sessions.find(request.headers);
    const isMeant = session?.scheme !== this.name || this.#protocol.isEnded?.(session, new URLSearchParams(request.query)) === true;
    give(exchange, isMeant ? await this.#signedOut(request) : statusAnswer(400));
  }

  /** The other party has the browser end its session here, where it is one of this scheme. */
  async #signedOut({ headers }: RequestHead): Promise<Answer> {
    const cookie = this.#cookie;
    const { session } = cookie.sessions.find(headers);
    if (session?.scheme !== this.name) return statusAnswer(200);
    const cookies = cookie.sessions.clear(headers);
    try {
      await cookie.end(session);
      return statusAnswer(200, cookies);
    } catch (error) {
      return this.#failed(error, cookies);
    }
  }

  #failed(error: unknown, cookies: readonly string[]): Answer {
    if (error instanceof SignInStoreError) {
      this.#services.log.event("error", "sign-in-store-failed", { scheme: this.name, error });
      return statusAnswer(503, cookies, 5);
    }
    this.#services.log.event("warning", "sign-in-failed", { scheme: this.name, error });
    if (error instanceof ProviderUnavailableError) return statusAnswer(503, cookies, error.retryAfter);
    if (error instanceof SignInRefusedError) return statusAnswer(error.status, cookies);
    throw error;
  }
}
