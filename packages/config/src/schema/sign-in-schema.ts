import * as Schema from "effect/Schema";
import { field, record } from "./field.ts";
import { AbsoluteUrl, Bool, Duration, Integer, OneOf, Text } from "./scalars.ts";

const list = Schema.Array(Text);

const Keys = Schema.Struct({
  path: field(Text, "File with a secret of at least 32 bytes on each line, relative to the configuration file. Read again when it changes."),
  secrets: field(list, "Secrets for the environment, behind those of the file.", { defaultText: "none" }),
});

/** Sessions in cookies. */
export const CookieSession = Schema.Struct({
  cookieName: field(Text, "Name of the cookie.", { defaultText: "`__Host-session`; `__Secure-session` with `Domain` or `Path`, `session` without `Secure`" }),
  domain: field(Text, "The domain whose hosts get the cookie.", { defaultText: "the host that answers, and no other" }),
  path: field(Text, "The path below which it is sent.", { default: "/" }),
  sameSite: field(OneOf(["Lax", "Strict", "None"]), "Whether requests that other sites have browsers make carry it.", { default: "Lax" }),
  secure: field(Bool, "Whether it goes over TLS only.", { default: true }),
  persistent: field(Bool, "Whether browsers keep it when they end.", { default: false }),
  expireTimeSpan: field(Duration, "How long a session lasts; with `SlidingExpiration` since the last request of its second half.", { default: "08:00:00" }),
  slidingExpiration: field(Bool, "Whether requests move the end of the session.", { default: true }),
  absoluteLifetime: field(Duration, "From the sign-in to the end of the session, however often it is renewed.", { default: "7.00:00:00" }),
  maxSize: field(Integer(1024, 57_600), "Characters of all parts of the cookie together.", { default: 16_384 }),
  forwardCookie: field(Bool, "Whether destinations get it.", { default: false }),
  loginPath: field(Text, "Where browsers are sent that have no session; gets `returnUrl` in its query.", { defaultText: "none: they get 401" }),
  keys: field(Keys, "Secrets that cookies are sealed with, the same on all gateways that share clients: the first seals, the others only read.", {
    defaultText: "random ones: sessions end with the process",
  }),
});

const remote = {
  signInScheme: field(Text, "The scheme with a `Cookie` that keeps the session.", { default: "session" }),
  publicOrigin: field(Text, "Scheme, host and port at which browsers reach the gateway: `https://app.example`. Required."),
  callbackPath: field(Text, "Where the other party sends browsers back to.", { defaultText: "`/signin-` and the name of the scheme" }),
  loginPath: field(Text, "A path that begins a sign-in, with `returnUrl` in its query.", { defaultText: "none" }),
  logoutPath: field(Text, "A path that ends the session, here and at the other party; for pages of the gateway alone.", { defaultText: "none" }),
  signedOutPath: field(Text, "The local path where browsers end after `LogoutPath`.", { default: "/" }),
  remoteAuthenticationTimeout: field(Duration, "How long a sign-in may take.", { default: "00:15:00" }),
  keepClaims: field(list, "Claims that the session keeps.", { defaultText: "all but those of the protocol" }),
  mapClaims: field(record(Text, "claim"), "Claim of the session to the one of the other party that it is filled from: `realm_access.roles`."),
  timeout: field(Duration, "What the other party has for each answer.", { default: "00:00:10" }),
};

const codeFlow = {
  clientId: field(Text, "Who the gateway is to the provider. Required."),
  clientSecret: field(Text, "Its secret: for the environment.", { defaultText: "none, a public client" }),
  clientSecretFile: field(Text, "File with its secret, relative to the configuration file."),
  clientAuthentication: field(OneOf(["Post", "Basic"]), "How the secret is shown.", { default: "Post" }),
  authorizationParameters: field(record(Text, "parameter"), "Further parameters of the authorization request."),
  saveTokens: field(Bool, "Whether the session keeps the tokens, which forwarding and refreshing them needs.", { default: false }),
  refreshBefore: field(Duration, "How long before its end the access token is refreshed.", { default: "00:01:00" }),
  requireHttps: field(Bool, "Whether the provider must be asked over TLS, loopback addresses excepted.", { default: true }),
  nameClaim: field(Text, "The claim that names the user.", { default: "sub" }),
};

export const OpenIdConnect = Schema.Struct({
  authority: field(Text, "The issuer, exactly as it describes itself. Required."),
  scopes: field(list, "What is asked for.", { defaultText: "`openid`, `profile`" }),
  responseMode: field(OneOf(["Query", "FormPost"]), "How the answer comes back.", { default: "Query" }),
  frontChannelLogoutPath: field(Text, "A path that the provider's page has the browser open in a frame to end the session here (Front-Channel Logout 1.0).", { defaultText: "none" }),
  backChannelLogoutPath: field(Text, "A path to which the provider itself posts that a session ended there (Back-Channel Logout 1.0).", { defaultText: "none" }),
  claimsFromUserInfo: field(Bool, "Whether claims are asked for at the userinfo endpoint too.", { default: false }),
  ...codeFlow,
  ...remote,
});

export const OAuth2 = Schema.Struct({
  authorizationEndpoint: field(AbsoluteUrl, "Where browsers are sent. Required."),
  tokenEndpoint: field(AbsoluteUrl, "Where tokens are given. Required."),
  userInformationEndpoint: field(AbsoluteUrl, "What says in JSON who the bearer of an access token is. Required."),
  issuer: field(Text, "What `iss` of answers must be (RFC 9207).", { defaultText: "it must not be given" }),
  scopes: field(list, "What is asked for.", { defaultText: "nothing" }),
  ...codeFlow,
  ...remote,
});

export const WsFederation = Schema.Struct({
  realm: field(Text, "Who the gateway is to the other party, and whom its tokens are for: `wtrealm`. Required."),
  metadataAddress: field(AbsoluteUrl, "Where the other party describes itself: address, issuer, certificates."),
  passiveEndpoint: field(AbsoluteUrl, "Where browsers are sent, instead of metadata."),
  issuer: field(Text, "The issuer of tokens, exactly, instead of metadata."),
  certificates: field(Text, "File with the certificates (PEM) that may sign tokens, relative to the configuration file, instead of metadata."),
  thumbprints: field(list, "SHA-256 of certificates that may sign, in hexadecimal: of those of the metadata, no others.", { defaultText: "any of them" }),
  clockSkew: field(Duration, "How far clocks may differ, up to 10 minutes.", { default: "00:01:00" }),
  requireHttps: field(Bool, "Whether metadata must be asked for over TLS, loopback addresses excepted.", { default: true }),
  nameClaim: field(Text, "The claim that names the user.", { defaultText: "the NameID, or the claim `upn`" }),
  ...remote,
});
