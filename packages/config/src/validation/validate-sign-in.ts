/** Faults of schemes that keep sessions or have another party sign users in. Messages hold no secret. */
import type { AuthenticationSchemeConfig } from "../authentication-config.ts";
import type { ConfigIssue } from "../config-issue.ts";
import { longestTimer } from "../duration.ts";
import type { CodeFlowConfig, CookieSessionConfig, OAuth2Config, OpenIdConnectConfig, RemoteSignInConfig, WsFederationConfig } from "../sign-in-config.ts";
import { quoted } from "./issue-collector.ts";
import { checkWhole, token, type AddPolicyIssue } from "./policy-issues.ts";
import { checkAskedUrl, checkDuration } from "./validate-authentication.ts";

const code = "sign-in";
const second = 1000;
const year = 365 * 86_400 * second;
const smallestSecret = 32;

export function checkCookie(config: CookieSessionConfig, add: AddPolicyIssue): void {
  const { cookieName, domain, path, sameSite, secure = true, keys, loginPath } = config;
  const lower = cookieName?.toLowerCase() ?? "";
  if (cookieName !== undefined && !token.test(cookieName)) add(code, ["CookieName"], `'${quoted(cookieName)}' can be no name of a cookie`);
  if (lower.startsWith("__host-") && (!secure || domain || (path ?? "/") !== "/")) add(code, ["CookieName"], "__Host- wants Secure, the path / and no Domain", "take another name");
  if (lower.startsWith("__secure-") && !secure) add(code, ["CookieName"], "__Secure- wants Secure");
  if (sameSite === "None" && !secure) add(code, ["SameSite"], "SameSite None wants Secure: browsers do not keep the cookie");
  if (domain !== undefined && !/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(domain)) add(code, ["Domain"], `'${quoted(domain)}' is no domain`);
  if (path !== undefined && !/^\/[\x21-\x3a\x3c-\x7e]*$/.test(path)) add(code, ["Path"], `'${quoted(path)}' is no path`);
  checkLocalPath(loginPath, "LoginPath", add);
  checkDuration(add, "ExpireTimeSpan", config.expireTimeSpan, second, year, "at least 1 second, up to a year", code);
  checkDuration(add, "AbsoluteLifetime", config.absoluteLifetime, second, year, "at least 1 second, up to a year", code);
  checkWhole(add, code, ["MaxSize"], config.maxSize, 1024, 57_600);
  const seen = new Set<string>();
  for (const [index, secret] of (keys?.secrets ?? []).entries()) {
    if (Buffer.byteLength(secret) < smallestSecret) add(code, ["Keys", "Secrets", index], `a secret is shorter than ${smallestSecret} bytes`);
    if (seen.has(secret)) add(code, ["Keys", "Secrets", index], "a secret stands twice");
    seen.add(secret);
  }
}

export function checkOpenIdConnect(config: OpenIdConnectConfig, add: AddPolicyIssue): void {
  const { authority, scopes } = config;
  if (!authority) add(code, ["Authority"], "OpenIdConnect needs an Authority");
  else checkAskedUrl(authority, config.requireHttps ?? true, "Authority", add, code);
  if (scopes !== undefined && !scopes.includes("openid")) add(code, ["Scopes"], "Scopes without openid is OAuth 2", "add openid");
  checkLocalPath(config.backChannelLogoutPath, "BackChannelLogoutPath", add);
  checkLocalPath(config.frontChannelLogoutPath, "FrontChannelLogoutPath", add);
  checkCodeFlow(config, "OpenIdConnect", add);
}

export function checkOAuth2(config: OAuth2Config, add: AddPolicyIssue): void {
  for (const [member, url] of [["AuthorizationEndpoint", config.authorizationEndpoint], ["TokenEndpoint", config.tokenEndpoint], ["UserInformationEndpoint", config.userInformationEndpoint]] as const) {
    if (!url) add(code, [member], `OAuth2 needs a ${member}`);
    else checkAskedUrl(url, config.requireHttps ?? true, member, add, code);
  }
  checkCodeFlow(config, "OAuth2", add);
}

export function checkWsFederation(config: WsFederationConfig, add: AddPolicyIssue): void {
  const { realm, metadataAddress, passiveEndpoint, issuer, certificates } = config;
  if (!realm) add(code, ["Realm"], "WsFederation needs a Realm");
  if (metadataAddress) checkAskedUrl(metadataAddress, config.requireHttps ?? true, "MetadataAddress", add, code);
  for (const [member, value] of [["PassiveEndpoint", passiveEndpoint], ["Issuer", issuer], ["Certificates", certificates]] as const) {
    if (metadataAddress ? value : !value) add(code, [member], metadataAddress ? `${member} stands beside MetadataAddress` : `without MetadataAddress WsFederation needs ${member}`);
  }
  if (passiveEndpoint) checkAskedUrl(passiveEndpoint, false, "PassiveEndpoint", add, code);
  for (const [index, thumbprint] of (config.thumbprints ?? []).entries()) {
    if (!/^[0-9a-f]{64}$/i.test(thumbprint.replaceAll(":", ""))) add(code, ["Thumbprints", index], `'${quoted(thumbprint)}' is no SHA-256`, "64 hexadecimal digits, with or without colons");
  }
  if (config.thumbprints?.length === 0) add(code, ["Thumbprints"], "an empty list lets nobody in", "leave it out");
  checkDuration(add, "ClockSkew", config.clockSkew, 0, 600_000, "up to 10 minutes", code);
  checkRemote(config, "WsFederation", add);
}

function checkCodeFlow(config: CodeFlowConfig, section: string, add: AddPolicyIssue): void {
  if (!config.clientId) add(code, ["ClientId"], `${section} needs a ClientId`);
  if (config.clientSecret && config.clientSecretFile) add(code, ["ClientSecretFile"], "ClientSecretFile stands beside ClientSecret");
  checkDuration(add, "RefreshBefore", config.refreshBefore, 0, 3_600_000, "up to 1 hour", code);
  for (const name of Object.keys(config.authorizationParameters ?? {})) {
    if (ownParameters.has(name)) add(code, ["AuthorizationParameters", name], `'${quoted(name)}' is set by the gateway`);
  }
  checkRemote(config, section, add);
}

const ownParameters: ReadonlySet<string> = new Set(["client_id", "redirect_uri", "response_type", "response_mode", "scope", "state", "nonce", "code_challenge", "code_challenge_method", "request", "request_uri"]);

function checkRemote(config: RemoteSignInConfig, section: string, add: AddPolicyIssue): void {
  const { publicOrigin } = config;
  if (!publicOrigin) add(code, ["PublicOrigin"], `${section} needs the PublicOrigin at which browsers reach the gateway: the Host of a request can be anybody's`, "write https://app.example");
  else if (!isOrigin(publicOrigin)) add(code, ["PublicOrigin"], `'${quoted(publicOrigin)}' is no origin`, "write scheme and host in lower case, and a port other than the scheme's, without a path: https://app.example");
  for (const [member, path] of [["CallbackPath", config.callbackPath], ["LoginPath", config.loginPath], ["LogoutPath", config.logoutPath], ["SignedOutPath", config.signedOutPath]] as const) checkLocalPath(path, member, add);
  checkDuration(add, "RemoteAuthenticationTimeout", config.remoteAuthenticationTimeout, 1000, 86_400_000, "at least 1 second, up to a day", code);
  checkDuration(add, "Timeout", config.timeout, 1, Math.min(longestTimer, 300_000), "above 0, up to 5 minutes", code);
}

function checkLocalPath(path: string | undefined, member: string, add: AddPolicyIssue): void {
  if (path === undefined) return;
  const isPath = /^\/(?!\/)[A-Za-z0-9\-._~!$&'()*+,;=:@%/]*$/.test(path) && URL.canParse(path, base) && new URL(path, base).pathname === path;
  if (!isPath) add(code, [member], `'${quoted(path)}' is no path of this site`, "begin with one /, without query and dot segments");
}

const base = "https://site.invalid";

function isOrigin(text: string): boolean {
  return URL.canParse(text) && /^https?:\/\//.test(text) && new URL(text).origin === text;
}

/** Where the other party sends browsers back to, unless the configuration says so. */
export function defaultCallbackPath(scheme: string): string {
  return `/signin-${scheme.toLowerCase().replace(/[^a-z0-9._-]/g, "-")}`;
}

/** The section of a scheme that has another party sign users in, with its name in the file. */
function remoteSignIn(scheme: AuthenticationSchemeConfig): { readonly section: string; readonly config: RemoteSignInConfig } | undefined {
  if (scheme.openIdConnect !== undefined) return { section: "OpenIdConnect", config: scheme.openIdConnect };
  if (scheme.oAuth2 !== undefined) return { section: "OAuth2", config: scheme.oAuth2 };
  return scheme.wsFederation === undefined ? undefined : { section: "WsFederation", config: scheme.wsFederation };
}

/** Where sessions go unless the configuration says so. */
export const defaultSignInScheme = "session";

function sessionSchemeOf({ signInScheme = defaultSignInScheme }: RemoteSignInConfig, schemes: readonly AuthenticationSchemeConfig[]): AuthenticationSchemeConfig | undefined {
  return schemes.find(({ name, cookie }) => cookie !== undefined && name.toLowerCase() === signInScheme.toLowerCase());
}

/** What is wrong among schemes that are right each by itself. */
export function checkSignIns(schemes: readonly AuthenticationSchemeConfig[]): readonly ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  const paths = new Map<string, string>();
  const cookies = new Map<string, string>();
  for (const scheme of schemes) {
    const add = (path: readonly string[], message: string, hint?: string): void => {
      issues.push({ code, severity: "error", message: `${message} (Authentication policy '${quoted(scheme.name)}')`, hint, path: ["Policies", "Authentication", scheme.name, ...path] });
    };
    if (scheme.cookie !== undefined) {
      const { cookieName = "", domain = "", path = "/" } = scheme.cookie;
      const key = `${cookieName}\n${domain}\n${path}`;
      const other = cookies.get(key);
      if (other !== undefined) add(["Cookie", "CookieName"], `the cookie is that of '${quoted(other)}' too`, "give one of them another CookieName");
      cookies.set(key, scheme.name);
    }
    const remote = remoteSignIn(scheme);
    if (remote === undefined) continue;
    const { section, config } = remote;
    if (sessionSchemeOf(config, schemes) === undefined) {
      add([section, "SignInScheme"], `'${quoted(config.signInScheme ?? defaultSignInScheme)}' is no scheme with a Cookie`, "sessions are kept by a scheme with a section Cookie: add one of that name, or name yours");
    }
    for (const [member, path] of [["CallbackPath", config.callbackPath ?? defaultCallbackPath(scheme.name)], ["LoginPath", config.loginPath], ["LogoutPath", config.logoutPath], ["BackChannelLogoutPath", scheme.openIdConnect?.backChannelLogoutPath], ["FrontChannelLogoutPath", scheme.openIdConnect?.frontChannelLogoutPath]] as const) {
      if (path === undefined) continue;
      const other = paths.get(path);
      if (other !== undefined) add([section, member], `the path ${quoted(path)} is ${other} too`);
      paths.set(path, `${member} of '${quoted(scheme.name)}'`);
    }
  }
  return issues;
}
