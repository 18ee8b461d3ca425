/**
 * One way to find out who a request comes from. Schemes have names; policies of `Authorization` say which ones a route takes. For a request:
 *
 * 1. The policy's schemes are asked in order, until one authenticates. One that fails hides none behind it: several may read the same field, such as
 *    those of two issuers.
 * 2. Nobody did, and one cannot know now (`unavailable`): 503. One has an answer of its own (`answered`): that. Otherwise, where
 *    the policy asks for it, the challenges of all: the first answer of its own (a redirect for browsers) stands alone, header values
 *    stand together in one 401, and 403 is given where nobody has any of them.
 * 3. Somebody is authenticated and may not: 403, as the scheme's `forbid` has it.
 *
 * A scheme does not throw for what a request holds; what it throws is answered with 500. Its reasons are read by clients and operators: no secrets,
 * no bytes of the request.
 */
import type { Clock } from "@proxy/cluster";
import type { Exchange, RequestHead, ResponseHead } from "@proxy/http";
import type { ProxyLogger } from "@proxy/pipeline";
import type { HeadChange } from "../exchange/answered-exchange.ts";
import type { SignInStore } from "../sign-in/store/sign-in-store.ts";

/** Who it is, as one scheme found out. Immutable; schemes may share one among requests. */
export interface Identity {
  /** Name of the scheme that vouches. */
  readonly scheme: string;
  /** The same text for the same person within the scheme, and no other's; undefined: nobody in particular. */
  readonly name: string | undefined;
  /** Claim type to its values, in order, types in the case that the issuer writes. */
  readonly claims: ReadonlyMap<string, readonly string[]>;
  /** What the identity is proven with to others: forwarded or exchanged where the configuration says so. */
  readonly accessToken?: string | undefined;
  /** Milliseconds since 1970 after which the identity is none. */
  readonly expiresAt?: number | undefined;
  /** Fields for the destination beyond those of the claims, by name: what another service answered. Names are in the scheme's `forwardedFields`. */
  readonly fields?: ReadonlyMap<string, readonly string[]> | undefined;
}

/** What a scheme makes of a request. */
export type AuthenticationResult =
  /**
   * The request has nothing that is the scheme's business, or nothing any more: `onResponse` sees the head of the answer where nobody is authenticated, to clear a
   * cookie that is no session.
   */
  | { readonly kind: "none"; readonly onResponse?: HeadChange | undefined }
  /** It has, and it is not good. `reason` is shown to the client. */
  | { readonly kind: "failed"; readonly reason: string }
  /** It has, and whether it is good cannot be known now. `retryAfter`: seconds. */
  | { readonly kind: "unavailable"; readonly reason: string; readonly retryAfter?: number | undefined }
  /** Another service decided: its refusal goes to the client. */
  | { readonly kind: "answered"; readonly answer: Answer }
  /** `onResponse` sees the head of the answer, whoever gives it, that of an upgrade, too: a renewed cookie is written there. */
  | { readonly kind: "authenticated"; readonly identity: Identity; readonly onResponse?: HeadChange | undefined };

/** A whole response. A text is UTF-8. */
export interface Answer {
  readonly head: ResponseHead;
  readonly body?: Uint8Array | string | undefined;
}

/** How a client is told to say who it is, or that it may not. */
export type Challenge =
  /** Values of WWW-Authenticate (RFC 9110, 11.6.1). */
  | { readonly kind: "values"; readonly values: readonly string[] }
  /** An answer of its own: a redirect, for browsers. */
  | { readonly kind: "answer"; readonly answer: Answer }
  /** Nothing that could be said in a response: certificates belong to the connection. */
  | { readonly kind: "none" };

/** What answers at a path before routing: what clients are sent back to after a sign-in. */
export interface SchemeEndpoint {
  /** In normal form, exact: begins with `/`. Two schemes do not share one. */
  readonly path: string;
  /** Methods in upper case; others get 405. HEAD has to be named. */
  readonly methods: readonly string[];
  /** Answers on the exchange. A throw or rejection is answered with 500. */
  handle(exchange: Exchange): void | Promise<void>;
}

export interface AuthenticationScheme {
  readonly name: string;
  /** Who the request comes from. Without waiting where it can. */
  authenticate(exchange: Exchange): AuthenticationResult | Promise<AuthenticationResult>;
  /** What to say to a client that is not authenticated; `result` is what `authenticate` gave for its request. */
  challenge(exchange: Exchange, result: AuthenticationResult): Challenge | Promise<Challenge>;
  /** What to say to one that is and may not; `scopes` are those that the policy asks for. Default: 403 and nothing else. */
  forbid?(exchange: Exchange, identity: Identity, scopes: readonly string[]): Challenge | Promise<Challenge>;
  /**
   * The request without the scheme's credentials, the same object where it has none, for the destination. Asked on routes whose policy has the
   * scheme, whoever authenticated the request.
   */
  withoutCredentials?(request: RequestHead): RequestHead;
  /** Whether `withoutCredentials` is asked on all other routes too: credentials that only this gateway understands, such as session cookies. */
  readonly hidesCredentialsEverywhere?: boolean | undefined;
  /** Names of `Identity.fields`: what clients send under these is removed on every route. */
  readonly forwardedFields?: readonly string[] | undefined;
  readonly endpoints?: readonly SchemeEndpoint[] | undefined;
  /** It is in force from now on: reads ahead what it needs. Called once. */
  start?(): void;
  /** No configuration in force or in the making has it any more. */
  close?(): void;
}

/** What schemes are given. */
export interface SchemeServices {
  readonly clock: Clock;
  /** For requests to identity providers and the like, which bounds each of them: time, bytes, no redirects. */
  readonly fetch: typeof globalThis.fetch;
  readonly log: ProxyLogger;
  /** What sign-ins remember, of this gateway or of all of a site. */
  readonly store: SignInStore;
  /** Whether a peer is believed in what it says of the client's connection. */
  readonly trusts: (remoteAddress: string | undefined) => boolean;
  /** A request without the credentials that only this gateway understands, such as session cookies: for other services. To be asked after `start`. */
  readonly withoutOwnCredentials: (request: RequestHead) => RequestHead;
  /** Another scheme of the same configuration, by name ignoring case: where a sign-in puts its session. To be asked after `start`. */
  readonly scheme: (name: string) => AuthenticationScheme | undefined;
}
