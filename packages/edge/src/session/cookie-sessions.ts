/** Sessions that live in cookies of their clients: sealed, bound to one scheme, with an end. */
import type { Clock, KeyProtector } from "@proxy/cluster";
import type { CookieSessionConfig } from "@proxy/config";
import type { HeaderList } from "@proxy/http";
import { ChunkedCookie } from "./chunked-cookie.ts";
import { cookieAttributesFault, prefixedName, type CookieAttributes } from "./cookie-attributes.ts";
import { openText, sealText } from "./sealed-text.ts";
import { decodeSession, encodeSession, type Session } from "./session.ts";

export interface CookieSessionsOptions {
  /** The name of the scheme: cookies of another are none of this. */
  readonly scheme: string;
  readonly keys: KeyProtector;
  readonly clock: Pick<Clock, "date">;
}

export interface FoundSession {
  /** Undefined: there is none, or none that is valid. */
  readonly session: Session | undefined;
  /** The client sent a cookie that is no session: it is to be cleared. */
  readonly isStale: boolean;
}

const hour = 3_600_000;

export class CookieSessions {
  readonly attributes: CookieAttributes;
  readonly forwardsCookie: boolean;
  readonly #cookie: ChunkedCookie;
  readonly #purpose: string;
  readonly #keys: KeyProtector;
  readonly #clock: Pick<Clock, "date">;
  readonly #span: number;
  readonly #longest: number;
  readonly #slides: boolean;
  readonly #persistent: boolean;

  /** Throws `TypeError` for a cookie that no browser would keep. */
  constructor(config: CookieSessionConfig, { scheme, keys, clock }: CookieSessionsOptions) {
    const { domain, path, sameSite, secure } = config;
    this.attributes = { name: config.cookieName ?? prefixedName("session", config), domain, path, sameSite, secure };
    const fault = cookieAttributesFault(this.attributes);
    if (fault !== undefined) throw new TypeError(`'${this.attributes.name}' ${fault}`);
    this.forwardsCookie = config.forwardCookie ?? false;
    this.#cookie = new ChunkedCookie(this.attributes, config.maxSize ?? 16_384);
    this.#purpose = `${scheme.toLowerCase()}\n${this.attributes.name}`;
    this.#keys = keys;
    this.#clock = clock;
    this.#span = config.expireTimeSpan ?? 8 * hour;
    this.#longest = config.absoluteLifetime ?? 7 * 24 * hour;
    this.#slides = config.slidingExpiration ?? true;
    this.#persistent = config.persistent ?? false;
  }

  /** Reads what the client sent. Never throws. */
  find(headers: HeaderList): FoundSession {
    if (!headers.has("cookie") || !this.#cookie.isSent(headers)) return noSession;
    const session = this.#open(this.#cookie.read(headers));
    return session === undefined || this.expiresAt(session) <= this.#clock.date() ? staleSession : { session, isStale: false };
  }

  /** When the session ends unless it is renewed, in milliseconds since 1970, by the settings as they are now. */
  expiresAt({ signedInAt, renewedAt }: Session): number {
    return Math.min((this.#slides ? renewedAt : signedInAt) + this.#span, signedInAt + this.#longest);
  }

  /** Milliseconds that a session lasts, however often it is renewed. */
  get longest(): number {
    return this.#longest;
  }

  /** The session with a new end, once half of its time is over and the end can be moved; undefined otherwise. */
  renewed(session: Session): Session | undefined {
    const now = this.#clock.date();
    if (!this.#slides || now - session.renewedAt < this.#span / 2) return undefined;
    const next = { ...session, renewedAt: now };
    return this.expiresAt(next) > this.expiresAt(session) ? next : undefined;
  }

  /** Set-Cookie lines that give `session` to the client that sent `headers`; undefined when it is too large for cookies. */
  write(headers: HeaderList, session: Session): readonly string[] | undefined {
    const value = sealText(this.#keys, this.#purpose, encodeSession(session));
    const maxAge = this.#persistent ? (this.expiresAt(session) - this.#clock.date()) / 1000 : undefined;
    return this.#cookie.write(headers, value, maxAge);
  }

  /** Set-Cookie lines that end the session of the client that sent `headers`. */
  clear(headers: HeaderList): readonly string[] {
    return this.#cookie.clear(headers);
  }

  /** Whether a cookie of that name belongs to sessions of this scheme. */
  isOwn(cookieName: string): boolean {
    return this.#cookie.isOwn(cookieName);
  }

  #open(sealed: string | undefined): Session | undefined {
    const text = sealed === undefined ? undefined : openText(this.#keys, this.#purpose, sealed);
    return text === undefined ? undefined : decodeSession(text);
  }
}

const noSession: FoundSession = { session: undefined, isStale: false };
const staleSession: FoundSession = { session: undefined, isStale: true };
