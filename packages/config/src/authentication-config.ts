import type { CookieSessionConfig, OAuth2Config, OpenIdConnectConfig, WsFederationConfig } from "./sign-in-config.ts";

/** Ways to find out who a request comes from, by name. Exactly one of the sections says which kind it is. */
export interface AuthenticationSchemeConfig {
  readonly name: string;
  readonly bearer?: BearerConfig | undefined;
  readonly apiKey?: ApiKeyConfig | undefined;
  readonly clientCertificate?: ClientCertificateConfig | undefined;
  readonly forwardAuth?: ForwardAuthConfig | undefined;
  readonly cookie?: CookieSessionConfig | undefined;
  readonly openIdConnect?: OpenIdConnectConfig | undefined;
  readonly oAuth2?: OAuth2Config | undefined;
  readonly wsFederation?: WsFederationConfig | undefined;
}

/** Signed tokens (JWT, RFC 7519) in `Authorization: Bearer` (RFC 6750). */
export interface BearerConfig {
  /** `iss` of tokens, exactly. Required. */
  readonly issuer?: string | undefined;
  /** `aud` of tokens: one of these. Required. */
  readonly audiences?: readonly string[] | undefined;
  /** Where the issuer describes itself. Default: `/.well-known/openid-configuration` below the issuer. */
  readonly metadataAddress?: string | undefined;
  /** Where the issuer's keys (JWKS) are, instead of discovery. */
  readonly jwksUri?: string | undefined;
  /** A file with the issuer's keys, instead of asking: a JWKS, or public keys or certificates in PEM. Read again when it changes. */
  readonly keyFile?: string | undefined;
  /** A secret shared with the issuer, at least 32 bytes of UTF-8, for HS256, HS384 and HS512; instead of public keys. */
  readonly secret?: string | undefined;
  /** Signatures that are accepted. Default: RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA; HS256 with `secret`. */
  readonly algorithms?: readonly string[] | undefined;
  /** `typ` of tokens, without `application/`. Default: `JWT`, `at+jwt`, or none. */
  readonly types?: readonly string[] | undefined;
  /** Milliseconds that clocks may differ. Default 1 minute. */
  readonly clockSkew?: number | undefined;
  /** Characters of a token. Default 16 384. */
  readonly maxTokenSize?: number | undefined;
  /** The claim that names the user. Default `sub`. */
  readonly nameClaim?: string | undefined;
  /** Milliseconds that a token which was good is not checked again, at most until it expires; 0: checked each time. Default 1 minute. */
  readonly cacheDuration?: number | undefined;
  /** Milliseconds between two looks at the issuer's keys. Default 10 minutes. */
  readonly refreshInterval?: number | undefined;
  /** Milliseconds that the issuer has for each answer. Default 10 seconds. */
  readonly timeout?: number | undefined;
  /** Whether the issuer must be asked over TLS, loopback addresses excepted. Default true. */
  readonly requireHttps?: boolean | undefined;
}

/** Keys that clients send as they are. */
export interface ApiKeyConfig {
  /** The field that holds the key. Default `X-Api-Key` where there is no `query` either. */
  readonly header?: string | undefined;
  /** The query parameter that holds the key; never forwarded. */
  readonly query?: string | undefined;
  /** By the name of whoever has it. */
  readonly keys?: Readonly<Record<string, ApiKeyEntryConfig>> | undefined;
  /** Whether the destination gets the field. Default false. */
  readonly forwardKey?: boolean | undefined;
}

export interface ApiKeyEntryConfig {
  /** SHA-256 of the key in hexadecimal or base64url: for keys of at least 128 random bits. Required. */
  readonly hash?: string | undefined;
  readonly claims?: Readonly<Record<string, readonly string[]>> | undefined;
  /** The last moment it is good, as RFC 3339 writes dates and times. Default: for ever. */
  readonly expires?: string | undefined;
}

/** How a certificate is written in a header: base64 of its DER, `Client-Cert` (RFC 9440), percent-encoded PEM (nginx), or Envoy's `X-Forwarded-Client-Cert`. */
export type ClientCertificateHeaderFormat = "Base64Der" | "ClientCert" | "UrlEncodedPem" | "Xfcc";

/** Certificates that clients show (TLS), or that a trusted proxy in front shows for them. */
export interface ClientCertificateConfig {
  /** A file with the authorities (PEM) that vouch. Default: those that the endpoint checks by. Needed with `header`, unless `thumbprints` are. */
  readonly authorities?: string | undefined;
  /** Files with revocation lists (PEM or DER), read again when they change. Each authority of a chain needs one then. */
  readonly revocationLists?: readonly string[] | undefined;
  /** SHA-256 of the certificates that may pass, in hexadecimal. */
  readonly thumbprints?: readonly string[] | undefined;
  /** Distinguished names as RFC 4514 writes them, or common names (`CN=…` alone), of the certificates that may pass. */
  readonly subjects?: readonly string[] | undefined;
  /** Alternative names of the certificates that may pass: `DNS:…`, `email:…`, `URI:…`. */
  readonly alternativeNames?: readonly string[] | undefined;
  /** The field in which a proxy of `TrustedProxies` shows the client's certificate. Default: none is looked at. */
  readonly header?: string | undefined;
  /** How it writes it. Default `Base64Der`. */
  readonly headerFormat?: ClientCertificateHeaderFormat | undefined;
}

/** Another service decides. */
export interface ForwardAuthConfig {
  /** Required. */
  readonly url?: string | undefined;
  /** Default GET. */
  readonly method?: string | undefined;
  /** Fields of the request that it gets, beside X-Forwarded-Method, -Proto, -Host, -Uri and -For. Default: Authorization, Cookie. */
  readonly requestHeaders?: readonly string[] | undefined;
  /** Fields of its answer that the destination gets. Default: none. */
  readonly responseHeaders?: readonly string[] | undefined;
  /** Which of these names the user. Default: none. */
  readonly nameHeader?: string | undefined;
  /** Milliseconds for the whole answer. Default 5 seconds. */
  readonly timeout?: number | undefined;
  /** Bytes of an answer that goes to the client. Default 65 536. */
  readonly maxBodySize?: number | undefined;
  /** Requests to it at a time; 503 beyond. Default 256. */
  readonly maxConcurrency?: number | undefined;
}

/** Who may pass. All that is said must hold. */
export interface AuthorizationPolicyConfig {
  readonly name: string;
  /** Schemes that are asked, in order. Default: those of the policies named below, or the only one there is. */
  readonly schemes?: readonly string[] | undefined;
  /** False: requests of nobody pass too, where nothing else is asked for. Default true. */
  readonly requireAuthenticated?: boolean | undefined;
  /** One of these roles. */
  readonly roles?: readonly string[] | undefined;
  /** Claims that hold roles. Default: `role`, `roles`. */
  readonly roleClaims?: readonly string[] | undefined;
  /** Each of these scopes, in `scope` or `scp`. */
  readonly scopes?: readonly string[] | undefined;
  /** Claim to the values of which it must have one; `*`: any will do. */
  readonly claims?: Readonly<Record<string, readonly string[]>> | undefined;
  /** Policies that must all hold. */
  readonly all?: readonly string[] | undefined;
  /** Policies of which one must hold. */
  readonly any?: readonly string[] | undefined;
  /** Policies none of which may hold. */
  readonly not?: readonly string[] | undefined;
  /** Method to the policy that must hold; `*` for those not named. Others may not pass. */
  readonly methods?: Readonly<Record<string, string>> | undefined;
  readonly forward?: IdentityForwardingConfig | undefined;
}

/** What the destination is told of the client's identity. */
export interface IdentityForwardingConfig {
  /** Field to the claim that it is filled from; `@name` and `@scheme` are those of the identity. Client-sent copies are removed on every route. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /**
   * `Keep`: Authorization passes as it is. `Remove`: it does not. `Forward`: the token of the identity is written there. `Exchange`: one that is got for it
   * (RFC 8693). Default `Keep`.
   */
  readonly token?: "Keep" | "Remove" | "Forward" | "Exchange" | undefined;
  readonly exchange?: TokenExchangeConfig | undefined;
}

/** Token exchange (RFC 8693). */
export interface TokenExchangeConfig {
  /** The token endpoint. Required. */
  readonly endpoint?: string | undefined;
  readonly clientId?: string | undefined;
  readonly clientSecret?: string | undefined;
  /** For whom the new token is; one of `audience`, `resource` and `scope` is required. */
  readonly audience?: string | undefined;
  readonly resource?: string | undefined;
  readonly scope?: string | undefined;
  /** Milliseconds for an answer. Default 10 seconds. */
  readonly timeout?: number | undefined;
}
