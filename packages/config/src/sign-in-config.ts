/** Schemes that keep a session, and those that have another party sign users in. Milliseconds throughout. */

/** The attribute SameSite of a cookie (RFC 6265bis). `None` needs `Secure`. */
export type CookieSameSite = "Lax" | "Strict" | "None";

/** Sessions in cookies, which the schemes below put there. */
export interface CookieSessionConfig {
  /** Default `__Host-session`, or with the prefix that `domain`, `path` and `secure` allow. */
  readonly cookieName?: string | undefined;
  /** Default: the host that answers, and no other. */
  readonly domain?: string | undefined;
  /** Default `/`. */
  readonly path?: string | undefined;
  /** Default `Lax`. */
  readonly sameSite?: CookieSameSite | undefined;
  /** Whether the cookie goes over TLS only. Default true. */
  readonly secure?: boolean | undefined;
  /** Whether browsers keep the cookie when they end. Default false. */
  readonly persistent?: boolean | undefined;
  /** How long a session lasts; with `slidingExpiration` since the last request of its second half. Default 8 hours. */
  readonly expireTimeSpan?: number | undefined;
  /** Whether requests move the end of the session. Default true. */
  readonly slidingExpiration?: boolean | undefined;
  /** From the sign-in to the end of the session, however often it is renewed. Default 7 days. */
  readonly absoluteLifetime?: number | undefined;
  /** Characters of all parts of the cookie together, from 1024 to 57 600. Default 16 384. */
  readonly maxSize?: number | undefined;
  /** Whether destinations get the cookie. Default false. */
  readonly forwardCookie?: boolean | undefined;
  /** Where browsers are sent that have no session: a local path, which gets `returnUrl` in its query. Default: 401 for them too. */
  readonly loginPath?: string | undefined;
  /** Secrets that the cookies are sealed with. Default: random ones, so that sessions end with the process. */
  readonly keys?: SessionKeysConfig | undefined;
}

/** The same on all gateways that share clients. The first secret seals, the others only read; those of the file come first. */
export interface SessionKeysConfig {
  /** File with a secret of at least 32 bytes on each line; read again when it changes. */
  readonly path?: string | undefined;
  readonly secrets?: readonly string[] | undefined;
}

/** What all schemes have that another party signs users in for. */
export interface RemoteSignInConfig {
  /** The scheme with a `cookie` that keeps the session. Default `session`. */
  readonly signInScheme?: string | undefined;
  /** Scheme, host and port at which browsers reach the gateway: `https://app.example`. Never taken from requests. Required. */
  readonly publicOrigin?: string | undefined;
  /** Where the other party sends browsers back to. Default `/signin-` and the name of the scheme. */
  readonly callbackPath?: string | undefined;
  /** A path that begins a sign-in, with `returnUrl` in its query: for pages that were answered 401. Default: none. */
  readonly loginPath?: string | undefined;
  /** A path that ends the session, here and at the other party: for POST from pages of the gateway. Default: none. */
  readonly logoutPath?: string | undefined;
  /** The local path where browsers end after `logoutPath`. Default `/`. */
  readonly signedOutPath?: string | undefined;
  /** How long a sign-in may take. Default 15 minutes. */
  readonly remoteAuthenticationTimeout?: number | undefined;
  /** Claims that the session keeps; an empty list: none. Default: all but those of the protocol. */
  readonly keepClaims?: readonly string[] | undefined;
  /** Claim of the session to the path of the other party's that it is filled from: `{ roles: "realm_access.roles" }`. */
  readonly mapClaims?: Readonly<Record<string, string>> | undefined;
  /** The claim that names the user. Default `sub`; for WS-Federation the NameID or, without one, the claim `upn`. */
  readonly nameClaim?: string | undefined;
  /** Milliseconds that the other party has for each answer. Default 10 seconds. */
  readonly timeout?: number | undefined;
}

/** What OpenID Connect and OAuth 2 have in common: the code flow (RFC 6749, 4.1) with PKCE (RFC 7636). */
export interface CodeFlowConfig extends RemoteSignInConfig {
  /** Required. */
  readonly clientId?: string | undefined;
  /** Default: none, a public client. */
  readonly clientSecret?: string | undefined;
  /** A file that holds the secret. */
  readonly clientSecretFile?: string | undefined;
  /** How the secret is shown. Default `Post`. */
  readonly clientAuthentication?: "Post" | "Basic" | undefined;
  /** Further parameters of the authorization request. */
  readonly authorizationParameters?: Readonly<Record<string, string>> | undefined;
  /** Whether the session keeps the tokens, which forwarding and refreshing them needs. Default false. */
  readonly saveTokens?: boolean | undefined;
  /** How long before its end the access token is refreshed. Default 1 minute. */
  readonly refreshBefore?: number | undefined;
  /** Whether the other party must be asked over TLS, loopback addresses excepted. Default true. */
  readonly requireHttps?: boolean | undefined;
}

/** Sign-in with OpenID Connect. */
export interface OpenIdConnectConfig extends CodeFlowConfig {
  /** The issuer, exactly as it describes itself. Required. */
  readonly authority?: string | undefined;
  /** Default `openid`, `profile`. */
  readonly scopes?: readonly string[] | undefined;
  /** How the answer comes back. Default `Query`. */
  readonly responseMode?: "Query" | "FormPost" | undefined;
  /** A path to which the provider itself posts that a session ended there. Default: none. */
  readonly backChannelLogoutPath?: string | undefined;
  /** Where the provider's page has the browser end the session here, in a frame (OpenID Connect Front-Channel Logout 1.0). Default: nowhere. */
  readonly frontChannelLogoutPath?: string | undefined;
  /** Whether claims are asked for at the userinfo endpoint too. Default false. */
  readonly claimsFromUserInfo?: boolean | undefined;
}

/** Sign-in with a provider that speaks OAuth 2 alone. */
export interface OAuth2Config extends CodeFlowConfig {
  /** Required. */
  readonly authorizationEndpoint?: string | undefined;
  /** Required. */
  readonly tokenEndpoint?: string | undefined;
  /** Answers a bearer of the access token with claims, as JSON. Required. */
  readonly userInformationEndpoint?: string | undefined;
  /** What `iss` of answers must be where the provider gives it (RFC 9207). Default: it must not be given. */
  readonly issuer?: string | undefined;
  /** Default: none. */
  readonly scopes?: readonly string[] | undefined;
}

/** Sign-in with WS-Federation 1.2, passive requestors. */
export interface WsFederationConfig extends RemoteSignInConfig {
  /** Who this is to the other party. Required. */
  readonly realm?: string | undefined;
  /** Where the other party describes itself: address, issuer and certificates. */
  readonly metadataAddress?: string | undefined;
  /** Where browsers are sent, instead of metadata. */
  readonly passiveEndpoint?: string | undefined;
  /** The issuer of tokens, exactly, instead of metadata. */
  readonly issuer?: string | undefined;
  /** A file with the certificates (PEM) that tokens are signed with, instead of metadata. */
  readonly certificates?: string | undefined;
  /** SHA-256 of certificates that may sign, in hexadecimal: of those that metadata names, no others. */
  readonly thumbprints?: readonly string[] | undefined;
  /** How far clocks may differ. Default 1 minute. */
  readonly clockSkew?: number | undefined;
  /** Whether metadata must be asked for over TLS, loopback addresses excepted. Default true. */
  readonly requireHttps?: boolean | undefined;
}
