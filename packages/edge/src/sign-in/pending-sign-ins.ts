/**
 * What a browser holds between the beginning and the end of a sign-in: one sealed cookie for each, so that several may go on in its tabs. A sign-in ends where
 * it began: an answer of the other party without the cookie of its `state` was asked for by somebody else (login CSRF, RFC 6749, 10.12), or came before.
 */
import { randomBytes, timingSafeEqual } from "node:crypto";
import type { Clock, KeyProtector } from "@proxy/cluster";
import type { HeaderList } from "@proxy/http";
import { clearCookieLine, setCookieLine, type CookieAttributes } from "../session/cookie-attributes.ts";
import { requestCookie, requestCookies } from "../session/request-cookies.ts";
import { openText, sealText } from "../session/sealed-text.ts";

/** What a protocol wants back when the other party answers: nonce, PKCE verifier. */
export type SignInSecrets = Readonly<Record<string, string>>;

export interface PendingSignIn {
  readonly state: string;
  readonly returnUrl: string;
  readonly secrets: SignInSecrets;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
}

export interface PendingSignInsOptions {
  readonly scheme: string;
  readonly keys: KeyProtector;
  readonly clock: Pick<Clock, "date">;
  /** Milliseconds that a sign-in may take. */
  readonly timeout: number;
  readonly secure: boolean;
  /** The other party answers with a form that its page posts: such a request carries cookies of SameSite None only. */
  readonly crossSitePost: boolean;
}

/** More in one browser, and the oldest are given up: their cookies come with each request, beside the session's. */
const most = 4;
const stateSize = 43;
const idSize = 16;
const prefix = "signin.";

/** Whether a cookie of that name holds a sign-in, of whatever scheme. */
export function isPendingSignIn(cookieName: string): boolean {
  return cookieName.startsWith(prefix) || cookieName.startsWith(`__Host-${prefix}`);
}

export class PendingSignIns {
  readonly #options: PendingSignInsOptions;
  readonly #prefix: string;
  readonly #purpose: string;

  constructor(options: PendingSignInsOptions) {
    this.#options = options;
    this.#prefix = `${options.secure ? "__Host-" : ""}${prefix}`;
    this.#purpose = `sign-in\n${options.scheme.toLowerCase()}`;
  }

  /** A state that nobody can guess. */
  newState(): string {
    return randomBytes(32).toString("base64url");
  }

  /** Set-Cookie lines that begin a sign-in; those of older ones are cleared when there are too many. */
  begin(headers: HeaderList, sign: Omit<PendingSignIn, "startedAt">): readonly string[] {
    const { keys, clock, timeout } = this.#options;
    const text = JSON.stringify([sign.state, sign.returnUrl, sign.secrets, clock.date()]);
    const line = setCookieLine(this.#cookie(sign.state), sealText(keys, this.#purpose, text), timeout / 1000);
    return [line, ...this.#surplus(headers)];
  }

  /** The sign-in that `state` belongs to; undefined when this browser began none, or it is over. `cookies`: Set-Cookie lines that end it. */
  find(headers: HeaderList, state: string | null): { readonly pending: PendingSignIn | undefined; readonly cookies: readonly string[] } {
    if (state === null || state.length !== stateSize || !/^[\w-]+$/.test(state)) return { pending: undefined, cookies: [] };
    const cookie = this.#cookie(state);
    const sealed = requestCookie(headers, cookie.name);
    if (sealed === undefined) return { pending: undefined, cookies: [] };
    const found = this.#open(sealed);
    const cookies = [clearCookieLine(cookie)];
    if (found === undefined || !timingSafeEqual(Buffer.from(found.state.padEnd(stateSize)), Buffer.from(state))) return { pending: undefined, cookies };
    return { pending: found, cookies };
  }

  /** When `pending` is over in any case, in milliseconds since 1970. */
  endOf(pending: PendingSignIn): number {
    return pending.startedAt + this.#options.timeout;
  }

  #open(sealed: string): PendingSignIn | undefined {
    const { keys, clock, timeout } = this.#options;
    const text = openText(keys, this.#purpose, sealed);
    if (text === undefined) return undefined;
    const [state, returnUrl, secrets, startedAt] = JSON.parse(text) as [string, string, SignInSecrets, number];
    return startedAt + timeout > clock.date() ? { state, returnUrl, secrets, startedAt } : undefined;
  }

  #surplus(headers: HeaderList): readonly string[] {
    const own = [...requestCookies(headers)].filter(([name]) => isPendingSignIn(name));
    if (own.length < most) return [];
    const dated = own.map(([name, value]) => ({ name, startedAt: this.#open(value)?.startedAt ?? 0 }));
    dated.sort((a, b) => a.startedAt - b.startedAt);
    return dated.slice(0, own.length - most + 1).map(({ name }) => clearCookieLine({ ...this.#cookie(""), name }));
  }

  #cookie(state: string): CookieAttributes {
    const { secure, crossSitePost } = this.#options;
    return { name: this.#prefix + state.slice(0, idSize), secure, sameSite: crossSitePost ? "None" : "Lax" };
  }
}
