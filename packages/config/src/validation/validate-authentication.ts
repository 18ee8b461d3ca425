/** Faults of schemes of authentication. Messages hold no secret: neither `Secret` nor a hash of a key. */
import { isIP } from "node:net";
import { longestTimer } from "../duration.ts";
import type { ApiKeyConfig, AuthenticationSchemeConfig, BearerConfig, ClientCertificateConfig, ForwardAuthConfig } from "../authentication-config.ts";
import { quoted } from "./issue-collector.ts";
import { checkCookie, checkOAuth2, checkOpenIdConnect, checkWsFederation } from "./validate-sign-in.ts";
import { checkWhole, token, type AddPolicyIssue } from "./policy-issues.ts";

const code = "authentication";

/** By member, with the section of each. */
const sections = { bearer: "Bearer", apiKey: "ApiKey", clientCertificate: "ClientCertificate", forwardAuth: "ForwardAuth", cookie: "Cookie", openIdConnect: "OpenIdConnect", oAuth2: "OAuth2", wsFederation: "WsFederation" } as const;

export function checkAuthentication(scheme: AuthenticationSchemeConfig, add: AddPolicyIssue): void {
  if (scheme.name.includes(":")) add("policy-name", [], "a scheme's name holds no ':'");
  const given = (Object.keys(sections) as (keyof typeof sections)[]).filter((kind) => scheme[kind] !== undefined);
  if (given.length !== 1) add(code, [], `a scheme has exactly one of the sections ${Object.values(sections).join(", ")}`, given.length === 0 ? undefined : "make two schemes of it");
  const within = (section: string): AddPolicyIssue => (issue, member, message, hint) => add(issue, [section, ...member], message, hint);
  if (scheme.bearer !== undefined) checkBearer(scheme.bearer, within("Bearer"));
  if (scheme.apiKey !== undefined) checkApiKey(scheme.apiKey, within("ApiKey"));
  if (scheme.clientCertificate !== undefined) checkClientCertificate(scheme.clientCertificate, within("ClientCertificate"));
  if (scheme.forwardAuth !== undefined) checkForwardAuth(scheme.forwardAuth, within("ForwardAuth"));
  if (scheme.cookie !== undefined) checkCookie(scheme.cookie, within("Cookie"));
  if (scheme.openIdConnect !== undefined) checkOpenIdConnect(scheme.openIdConnect, within("OpenIdConnect"));
  if (scheme.oAuth2 !== undefined) checkOAuth2(scheme.oAuth2, within("OAuth2"));
  if (scheme.wsFederation !== undefined) checkWsFederation(scheme.wsFederation, within("WsFederation"));
}

const asymmetric: ReadonlySet<string> = new Set(["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]);
/** Bytes that a secret needs (RFC 7518, 3.2). */
const secretBytes: ReadonlyMap<string, number> = new Map([["HS256", 32], ["HS384", 48], ["HS512", 64]]);

function checkBearer(bearer: BearerConfig, add: AddPolicyIssue): void {
  const { issuer, audiences = [], algorithms, secret, requireHttps = true } = bearer;
  if (!issuer) add(code, ["Issuer"], "Bearer needs an Issuer");
  if (audiences.length === 0 || audiences.includes("")) add(code, ["Audiences"], "Bearer needs Audiences: a token for somebody else must not do");
  const sources = [["JwksUri", bearer.jwksUri], ["KeyFile", bearer.keyFile], ["Secret", secret], ["MetadataAddress", bearer.metadataAddress]] as const;
  const given = sources.filter(([, value]) => value);
  for (const [member] of given.slice(1)) add(code, [member], `${member} stands beside ${given[0]?.[0]}`, "keys come from one place");
  const asked = [["MetadataAddress", bearer.metadataAddress], ["JwksUri", bearer.jwksUri], ...(given.length === 0 && issuer ? [["Issuer", issuer] as const] : [])] as const;
  for (const [member, url] of asked) if (url) checkAskedUrl(url, requireHttps, member, add);
  for (const [index, algorithm] of (algorithms ?? []).entries()) {
    const bytes = secretBytes.get(algorithm);
    if (secret ? bytes === undefined : !asymmetric.has(algorithm)) {
      add(code, ["Algorithms", index], secret ? `'${quoted(algorithm)}' is no algorithm for a Secret` : `'${quoted(algorithm)}' is no algorithm for public keys`, "a key that is public must never do as a secret");
    }
  }
  if (algorithms?.length === 0) add(code, ["Algorithms"], "an empty list accepts nothing");
  const needed = Math.max(...(algorithms ?? ["HS256"]).map((algorithm) => secretBytes.get(algorithm) ?? 0), 32);
  if (secret && Buffer.byteLength(secret) < needed) add(code, ["Secret"], `Secret is shorter than ${needed} bytes`);
  checkDuration(add, "ClockSkew", bearer.clockSkew, 0, 600_000, "up to 10 minutes");
  checkDuration(add, "CacheDuration", bearer.cacheDuration, 0, 86_400_000, "up to a day");
  checkDuration(add, "RefreshInterval", bearer.refreshInterval, 1000, longestTimer, "at least 1 second");
  checkDuration(add, "Timeout", bearer.timeout, 1, 300_000, "above 0, up to 5 minutes");
  checkWhole(add, code, ["MaxTokenSize"], bearer.maxTokenSize, 64, 1_048_576);
  if (bearer.nameClaim === "") add(code, ["NameClaim"], "NameClaim is empty");
}

function checkApiKey(apiKey: ApiKeyConfig, add: AddPolicyIssue): void {
  const { header, query, keys = {} } = apiKey;
  if (header !== undefined && !token.test(header)) add(code, ["Header"], `'${quoted(header)}' is no name of a header field`);
  if (query !== undefined && !/^[A-Za-z0-9\-._~]+$/.test(query)) add(code, ["Query"], `'${quoted(query)}' is no name of a query parameter`, "letters, digits, - . _ ~");
  const names = Object.keys(keys);
  if (names.length === 0) add(code, ["Keys"], "ApiKey needs Keys");
  const seen = new Map<string, string>();
  for (const name of names) {
    const { hash, expires } = keys[name] ?? {};
    const digest = digestOf(hash ?? "");
    if (digest === undefined) add(code, ["Keys", name, "Hash"], "Hash is no SHA-256", "64 hexadecimal digits or 43 characters of base64url, as 'gateway hash-key' gives them");
    else {
      const other = seen.get(digest);
      if (other !== undefined) add(code, ["Keys", name, "Hash"], `the key is that of '${quoted(other)}' too`);
      seen.set(digest, name);
    }
    if (expires !== undefined && !/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.test(expires)) {
      add(code, ["Keys", name, "Expires"], `'${quoted(expires)}' is no date and time with a zone`, "write 2027-01-31T00:00:00Z");
    } else if (expires !== undefined && Number.isNaN(Date.parse(expires))) add(code, ["Keys", name, "Expires"], `there is no '${quoted(expires)}'`);
  }
}

/** A SHA-256 from hexadecimal or base64url, in hexadecimal; undefined: it is none. */
export function digestOf(text: string): string | undefined {
  if (/^[0-9a-f]{64}$/i.test(text)) return text.toLowerCase();
  return /^[A-Za-z0-9\-_]{43}$/.test(text) ? Buffer.from(text, "base64url").toString("hex") : undefined;
}

function checkClientCertificate(config: ClientCertificateConfig, add: AddPolicyIssue): void {
  for (const [index, thumbprint] of (config.thumbprints ?? []).entries()) {
    if (!/^[0-9a-f]{64}$/i.test(thumbprint.replaceAll(":", ""))) add(code, ["Thumbprints", index], `'${quoted(thumbprint)}' is no SHA-256`, "64 hexadecimal digits, with or without colons");
  }
  for (const [index, subject] of (config.subjects ?? []).entries()) {
    if (!/^[A-Za-z0-9.]+=./.test(subject)) add(code, ["Subjects", index], `'${quoted(subject)}' is no distinguished name`, "write CN=name, or the whole name as RFC 4514 does");
  }
  for (const [index, name] of (config.alternativeNames ?? []).entries()) {
    if (!/^(?:DNS|email|URI):./.test(name)) add(code, ["AlternativeNames", index], `'${quoted(name)}' has no kind`, "write DNS:…, email:… or URI:…");
  }
  for (const [member, rules] of [["Thumbprints", config.thumbprints], ["Subjects", config.subjects], ["AlternativeNames", config.alternativeNames], ["RevocationLists", config.revocationLists]] as const) {
    if (rules?.length === 0) add(code, [member], "an empty list lets nobody in", "leave it out");
  }
  const { header } = config;
  if (header !== undefined && !token.test(header)) add(code, ["Header"], `'${quoted(header)}' is no name of a header field`);
  if (header && !config.authorities && !config.thumbprints?.length) {
    add(code, ["Header"], "a certificate in a field was checked by nobody here: its owner may be anybody", "name Authorities or Thumbprints");
  }
  if (!header && config.headerFormat !== undefined) add(code, ["HeaderFormat"], "HeaderFormat is for Header");
}

/** Fields that belong to the message, and what the gateway says itself. */
const messageFields: ReadonlySet<string> = new Set([
  "connection", "content-length", "expect", "host", "http2-settings", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
]);

/** Whether a field can be filled by the gateway without a different message coming out. */
export function isOrdinaryField(name: string): boolean {
  return token.test(name) && !messageFields.has(name.toLowerCase());
}

function checkForwardAuth(config: ForwardAuthConfig, add: AddPolicyIssue): void {
  const { url, requestHeaders = [], responseHeaders = [], nameHeader } = config;
  if (!url) add(code, ["Url"], "ForwardAuth needs a Url");
  else if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) add(code, ["Url"], `'${quoted(url)}' is no http or https URL`);
  for (const [member, names] of [["RequestHeaders", requestHeaders], ["ResponseHeaders", responseHeaders]] as const) {
    for (const [index, name] of names.entries()) if (!isOrdinaryField(name)) add(code, [member, index], `'${quoted(name)}' is no field that can be passed on`);
  }
  if (nameHeader !== undefined && !responseHeaders.some((name) => name.toLowerCase() === nameHeader.toLowerCase())) {
    add(code, ["NameHeader"], "NameHeader is not among ResponseHeaders");
  }
  checkDuration(add, "Timeout", config.timeout, 1, 300_000, "above 0, up to 5 minutes");
  checkWhole(add, code, ["MaxBodySize"], config.maxBodySize, 0);
  checkWhole(add, code, ["MaxConcurrency"], config.maxConcurrency, 1);
}

export function checkDuration(add: AddPolicyIssue, member: string, value: number | undefined, least: number, most: number, hint: string, issue = code): void {
  if (value !== undefined && !(value >= least && value <= most)) add(issue, [member], `${member} is out of range`, hint);
}

/** Whoever can change what an issuer answers signs tokens: it is asked over TLS. */
export function checkAskedUrl(url: string, requireHttps: boolean, member: string, add: AddPolicyIssue, issue = code): void {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || (parsed.protocol !== "https:" && parsed.protocol !== "http:")) {
    add(issue, [member], `'${quoted(url)}' is no URL that could be asked`, "write https://…");
    return;
  }
  if (parsed.username !== "" || parsed.password !== "") add(issue, [member], "the URL holds a password", "take it out");
  if (parsed.protocol === "http:" && requireHttps && !isLoopback(parsed.hostname)) {
    add(issue, [member], `'${quoted(url)}' is asked without TLS: whoever is on the way can change the answer`, "write https://");
  }
}

function isLoopback(host: string): boolean {
  const address = host.replace(/^\[|\]$/g, "");
  return host === "localhost" || (isIP(address) === 4 ? address.startsWith("127.") : address === "::1");
}
