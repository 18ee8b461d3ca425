/** The scheme that knows clients by the session in their cookie, whoever signed them in. */
import type { CookieSessionConfig } from "@proxy/config";
import type { Exchange, HeaderList, RequestHead, ResponseHead } from "@proxy/http";
import type { AuthenticationResult, AuthenticationScheme, Challenge, Identity, SchemeServices } from "../authentication/scheme.ts";
import { challengeValue } from "../authentication/challenge-value.ts";
import type { HeadChange } from "../exchange/answered-exchange.ts";
import { changedRequest } from "../exchange/request-exchange.ts";
import { CookieSessions } from "../session/cookie-sessions.ts";
import { removeCookies } from "../session/request-cookies.ts";
import { sessionKeys, type SessionKeys } from "../session/session-keys.ts";
import type { ClaimValue, Session } from "../session/session.ts";
import { appendCookies, redirectAnswer } from "./answers.ts";
import { isNavigation } from "./browser-request.ts";
import { localUrl } from "./return-url.ts";
import type { Refreshed } from "./refreshes.ts";
import { EndedSessions, type EndedWho } from "./store/ended-sessions.ts";
import { SignInStoreError } from "./store/sign-in-store.ts";

/** A scheme that signs users in and has a `CookieScheme` keep their sessions. */
export interface SessionOwner extends AuthenticationScheme {
  /** The session as it is to go on: itself, with new tokens, or not at all. */
  maintain(session: Session): Refreshed | Promise<Refreshed>;
  /** Whether `session` is what it was when it was maintained, for sure: nothing can have taken its place meanwhile. */
  isCurrent(session: Session): boolean;
}

export class CookieScheme implements AuthenticationScheme {
  readonly name: string;
  readonly sessions: CookieSessions;
  readonly keys: SessionKeys;
  readonly hidesCredentialsEverywhere: boolean;
  readonly #services: SchemeServices;
  readonly #loginPath: string | undefined;
  readonly #ended: EndedSessions;

  /** Throws `TypeError` for keys or a cookie that cannot be used. */
  constructor(name: string, config: CookieSessionConfig, services: SchemeServices) {
    this.name = name;
    this.#services = services;
    this.#loginPath = config.loginPath;
    this.keys = sessionKeys(config.keys ?? {}, (error) => services.log.event("error", "session-keys-unusable", { scheme: name, error }));
    this.sessions = new CookieSessions(config, { scheme: name, keys: this.keys.session, clock: services.clock });
    this.#ended = new EndedSessions(services.store, name, services.clock, this.sessions.longest);
    this.hidesCredentialsEverywhere = !this.sessions.forwardsCookie;
  }

  authenticate(exchange: Exchange): AuthenticationResult | Promise<AuthenticationResult> {
    return this.authenticateAs(exchange, undefined);
  }

  /** As `authenticate`, for sessions of `scheme` alone. */
  authenticateAs({ request }: Exchange, scheme: string | undefined): AuthenticationResult | Promise<AuthenticationResult> {
    const { headers } = request;
    const { session, isStale } = this.sessions.find(headers);
    if (isStale) return this.#stale(headers);
    if (session === undefined) return nobody;
    return this.#unlessEnded(headers, session, () => this.#ofSession(headers, session, scheme));
  }

  challenge({ request }: Exchange): Challenge {
    if (this.#loginPath === undefined || !isNavigation(request)) return sessionNeeded(this.name);
    const returnUrl = localUrl(request.path + request.query) ?? "/";
    return { kind: "answer", answer: redirectAnswer(`${this.#loginPath}?returnUrl=${encodeURIComponent(returnUrl)}`) };
  }

  withoutCredentials(request: RequestHead): RequestHead {
    return this.sessions.forwardsCookie ? request : withoutCookies(request, (name) => this.sessions.isOwn(name));
  }

  /** Ends `session`: copies of its cookie are none from now on, also those of requests under way, which would renew it. Rejects with `SignInStoreError`. */
  end(session: Session): Promise<void> {
    return this.#ended.end(session);
  }

  /** Ends sessions that `scheme` signed in until `begunUntil`. Rejects with `SignInStoreError`. */
  endAll(scheme: string, who: EndedWho, begunUntil: number): Promise<void> {
    return this.#ended.endAll(scheme, who, begunUntil);
  }

  /** Set-Cookie lines that give `session` to the client; undefined when it is too large, which is told. */
  write(headers: HeaderList, session: Session): readonly string[] | undefined {
    const cookies = this.sessions.write(headers, session);
    if (cookies === undefined) this.#services.log.event("error", "session-too-large", { scheme: this.name, owner: session.scheme });
    return cookies;
  }

  close(): void {
    this.keys.close();
  }

  /** What `goOn` gives, unless the session was ended meanwhile or nobody can say so. */
  #unlessEnded(headers: HeaderList, session: Session, goOn: () => AuthenticationResult | Promise<AuthenticationResult>): AuthenticationResult | Promise<AuthenticationResult> {
    const decide = (isEnded: boolean): AuthenticationResult | Promise<AuthenticationResult> => (isEnded ? this.#stale(headers) : goOn());
    try {
      const ended = this.#ended.has(session);
      return ended instanceof Promise ? ended.then(decide, (error: unknown) => this.#unknown(error)) : decide(ended);
    } catch (error) {
      return this.#unknown(error);
    }
  }

  #unknown(error: unknown): AuthenticationResult {
    if (!(error instanceof SignInStoreError)) throw error;
    this.#services.log.event("error", "sign-in-store-failed", { scheme: this.name, error });
    return { kind: "unavailable", reason: "it cannot be known now whether the session was ended", retryAfter: 5 };
  }

  #ofSession(headers: HeaderList, session: Session, scheme: string | undefined): AuthenticationResult | Promise<AuthenticationResult> {
    if (scheme !== undefined && session.scheme !== scheme) return nobody;
    const owner = this.#services.scheme(session.scheme);
    // Of a scheme that is not there any more.
    if (owner === undefined || !isOwner(owner)) return nobody;
    const maintained = owner.maintain(session);
    if (maintained instanceof Promise) return maintained.then((refreshed) => this.#unlessEnded(headers, session, () => this.#result(headers, session, refreshed, owner)));
    return this.#result(headers, session, maintained, owner);
  }

  #stale(headers: HeaderList): AuthenticationResult {
    return { kind: "none", onResponse: withCookies(this.sessions.clear(headers)) };
  }

  #result(headers: HeaderList, session: Session, refreshed: Refreshed, owner: SessionOwner): AuthenticationResult {
    if (refreshed === "ended") return this.#stale(headers);
    if (refreshed === "unavailable") return { kind: "unavailable", reason: "the session cannot be renewed now", retryAfter: 5 };
    if (refreshed === session) {
      const next = this.sessions.renewed(session);
      if (next === undefined) return { kind: "authenticated", identity: identityOf(session, this.sessions.expiresAt(session)) };
      // The answer may take long: tokens that another request got meanwhile must not be overwritten by those of before, which are good no more.
      const onResponse: HeadChange = (head) => (owner.isCurrent(session) ? withCookies(this.write(headers, next))(head) : head);
      return { kind: "authenticated", identity: identityOf(next, this.sessions.expiresAt(next)), onResponse };
    }
    const next = { ...refreshed, renewedAt: this.#services.clock.date() };
    return { kind: "authenticated", identity: identityOf(next, this.sessions.expiresAt(next)), onResponse: withCookies(this.write(headers, next)) };
  }
}

function isOwner(scheme: AuthenticationScheme): scheme is SessionOwner {
  return "maintain" in scheme;
}

const nobody: AuthenticationResult = { kind: "none" };

/** What clients are told that no redirect helps: no registered scheme says "cookie". */
export function sessionNeeded(scheme: string): Challenge {
  return { kind: "values", values: [challengeValue("Cookie", { realm: scheme })] };
}

/** `request` without the cookies whose name `isOwn`; itself where it has none. */
export function withoutCookies(request: RequestHead, isOwn: (name: string) => boolean): RequestHead {
  if (!request.headers.has("cookie")) return request;
  const headers = request.headers.copy();
  return removeCookies(headers, isOwn) ? changedRequest(request, { headers }) : request;
}

function withCookies(cookies: readonly string[] = []): HeadChange {
  return (head: ResponseHead) => {
    if (cookies.length === 0) return head;
    const headers = head.headers.copy();
    appendCookies(headers, cookies);
    return { ...head, headers };
  };
}

function identityOf({ scheme, user, claims, tokens }: Session, expiresAt: number): Identity {
  return { scheme, name: user, claims: new Map(Object.entries(claims).map(([name, value]) => [name, claimTexts(value)])), accessToken: tokens?.accessToken, expiresAt };
}

function claimTexts(value: ClaimValue): readonly string[] {
  if (value === null) return [];
  if (Array.isArray(value)) return value.flatMap(claimTexts);
  return [typeof value === "object" ? JSON.stringify(value) : String(value)];
}
