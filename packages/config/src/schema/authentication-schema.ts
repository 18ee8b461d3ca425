import * as Schema from "effect/Schema";
import { field, record } from "./field.ts";
import { AbsoluteUrl, Bool, Duration, Integer, OneOf, Text } from "./scalars.ts";
import { CookieSession, OAuth2, OpenIdConnect, WsFederation } from "./sign-in-schema.ts";

const list = Schema.Array(Text);

const Bearer = Schema.Struct({
  issuer: field(Text, "`iss` of tokens, exactly. Required."),
  audiences: field(list, "`aud` of tokens: one of these. Required."),
  metadataAddress: field(AbsoluteUrl, "Where the issuer describes itself.", { defaultText: "`/.well-known/openid-configuration` below `Issuer`" }),
  jwksUri: field(AbsoluteUrl, "Where the issuer's keys (JWKS) are, instead of discovery."),
  keyFile: field(Text, "File with the issuer's keys, relative to the configuration file, instead of asking: a JWKS, or public keys or certificates in PEM. Read again when it changes."),
  secret: field(Text, "Secret shared with the issuer, at least 32 bytes, for HS256, HS384 and HS512; instead of public keys."),
  algorithms: field(Schema.Array(OneOf(["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "HS256", "HS384", "HS512"])), "Signatures that are accepted.", {
    defaultText: "all that are not HS; `HS256` with `Secret`",
  }),
  types: field(list, "`typ` of tokens, without `application/`.", { defaultText: "`JWT`, `at+jwt`, or none" }),
  clockSkew: field(Duration, "How far clocks may differ, up to 10 minutes.", { default: "00:01:00" }),
  maxTokenSize: field(Integer(64, 1_048_576), "Characters of a token.", { default: 16_384 }),
  nameClaim: field(Text, "The claim that names the user.", { default: "sub" }),
  cacheDuration: field(Duration, "How long a token that was good is not checked again, at most until it expires; 0: checked each time.", { default: "00:01:00" }),
  refreshInterval: field(Duration, "Between two looks at the issuer's keys.", { default: "00:10:00" }),
  timeout: field(Duration, "What the issuer has for each answer.", { default: "00:00:10" }),
  requireHttps: field(Bool, "Whether the issuer must be asked over TLS, loopback addresses excepted.", { default: true }),
});

const ApiKey = Schema.Struct({
  header: field(Text, "The field that holds the key.", { defaultText: "`X-Api-Key`, without `Query`" }),
  query: field(Text, "The query parameter that holds the key; never forwarded.", { defaultText: "none" }),
  keys: field(
    record(
      Schema.Struct({
        hash: field(Text, "SHA-256 of the key, in hexadecimal or base64url: `gateway hash-key` makes one. Required."),
        claims: field(record(list, "claim"), "Claims of whoever has the key."),
        expires: field(Text, "The last moment it is good: `2027-01-31T00:00:00Z`.", { defaultText: "for ever" }),
      }),
      "name",
    ),
    "Keys by the name of whoever has them. Required.",
  ),
  forwardKey: field(Bool, "Whether the destination gets the field.", { default: false }),
});

const ClientCertificate = Schema.Struct({
  authorities: field(Text, "File with the authorities (PEM) that vouch, relative to the configuration file.", { defaultText: "those of the endpoint" }),
  revocationLists: field(list, "Files with revocation lists (PEM or DER), read again when they change. With any, each authority of a chain needs one."),
  thumbprints: field(list, "SHA-256 of certificates that may pass, in hexadecimal.", { defaultText: "any" }),
  subjects: field(list, "Subjects that may pass: `CN=…` for the common name, or all of it as RFC 4514 writes it.", { defaultText: "any" }),
  alternativeNames: field(list, "Alternative names that may pass: `DNS:…`, `email:…`, `URI:…`.", { defaultText: "any" }),
  header: field(Text, "The field in which a proxy of `TrustedProxies` shows the client's certificate.", { defaultText: "none is looked at" }),
  headerFormat: field(
    OneOf(["Base64Der", "ClientCert", "UrlEncodedPem", "Xfcc"]),
    "How it writes it: base64 of DER, as RFC 9440 says, PEM percent-encoded (nginx), or `Cert=` of X-Forwarded-Client-Cert (Envoy).",
    { default: "Base64Der" },
  ),
});

const ForwardAuth = Schema.Struct({
  url: field(AbsoluteUrl, "The service that decides. Required."),
  method: field(OneOf(["GET", "POST", "HEAD"]), "Method of the question, which has no body.", { default: "GET" }),
  requestHeaders: field(list, "Fields of the request that it gets, beside `X-Forwarded-Method`, `-Proto`, `-Host`, `-Uri` and `-For`.", { defaultText: "`Authorization`, `Cookie`" }),
  responseHeaders: field(list, "Fields of its answer that the destination gets. What clients send of these is removed on every route.", { defaultText: "none" }),
  nameHeader: field(Text, "Which of these names the user.", { defaultText: "none" }),
  timeout: field(Duration, "For the whole answer; 503 beyond.", { default: "00:00:05" }),
  maxBodySize: field(Integer(0), "Bytes of an answer that goes to the client.", { default: 65_536 }),
  maxConcurrency: field(Integer(1), "Questions at a time; 503 beyond.", { default: 256 }),
});

/** One scheme: exactly one of the sections. */
export const AuthenticationScheme = Schema.Struct({
  bearer: field(Bearer, "Signed tokens (JWT) in `Authorization: Bearer`."),
  apiKey: field(ApiKey, "Keys that clients send as they are."),
  clientCertificate: field(ClientCertificate, "Certificates that clients show, or that a trusted proxy in front shows for them.", { keepsEmpty: true }),
  forwardAuth: field(ForwardAuth, "Another service decides: 2xx lets the request pass, everything else goes to the client."),
  cookie: field(CookieSession, "Sessions in cookies, which `OpenIdConnect`, `OAuth2` and `WsFederation` put there.", { keepsEmpty: true }),
  openIdConnect: field(OpenIdConnect, "Sign-in with OpenID Connect: the code flow with PKCE."),
  oAuth2: field(OAuth2, "Sign-in with a provider that speaks OAuth 2 alone."),
  wsFederation: field(WsFederation, "Sign-in with WS-Federation."),
});
