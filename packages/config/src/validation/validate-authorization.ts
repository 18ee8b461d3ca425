/** Faults of authorization policies by themselves; which schemes and policies they name is checked by what carries them out. */
import type { AuthorizationPolicyConfig, IdentityForwardingConfig } from "../authentication-config.ts";
import { quoted } from "./issue-collector.ts";
import { token, type AddPolicyIssue } from "./policy-issues.ts";
import { checkAskedUrl, checkDuration, isOrdinaryField } from "./validate-authentication.ts";

const code = "authorization";

export function checkAuthorization(policy: AuthorizationPolicyConfig, add: AddPolicyIssue): void {
  const lists = [["Schemes", policy.schemes], ["Roles", policy.roles], ["RoleClaims", policy.roleClaims], ["Scopes", policy.scopes], ["All", policy.all], ["Any", policy.any], ["Not", policy.not]] as const;
  for (const [member, names] of lists) {
    if (names?.length === 0) add(code, [member], "an empty list says nothing, or lets nobody in", "leave it out");
    for (const [index, name] of (names ?? []).entries()) if (name === "") add(code, [member, index], `${member} holds an empty text`);
  }
  for (const [index, scope] of (policy.scopes ?? []).entries()) {
    // RFC 6749, 3.3; what is not of it would break the challenge too.
    if (scope !== "" && !/^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope)) add(code, ["Scopes", index], `'${quoted(scope)}' is no scope`, "one scope each, without blanks");
  }
  for (const [claim, values] of Object.entries(policy.claims ?? {})) {
    if (claim === "") add(code, ["Claims"], "a claim has no name");
    if (values.length === 0) add(code, ["Claims", claim], "no value would do", 'write "*" for any');
  }
  const methods = Object.keys(policy.methods ?? {});
  if (policy.methods !== undefined && methods.length === 0) add(code, ["Methods"], "no method may pass", "leave it out");
  for (const method of methods) if (!token.test(method)) add(code, ["Methods", method], `'${quoted(method)}' is no method`);
  const asks = policy.roles ?? policy.scopes ?? policy.claims;
  if (policy.requireAuthenticated === false && asks !== undefined) {
    add(code, ["RequireAuthenticated"], "nobody has roles, scopes or claims: the policy asks for somebody after all", "take one of the two out");
  }
  if (policy.forward !== undefined) checkForward(policy.forward, add);
}

function checkForward({ headers = {}, token: mode = "Keep", exchange }: IdentityForwardingConfig, add: AddPolicyIssue): void {
  for (const [field, claim] of Object.entries(headers)) {
    const lower = field.toLowerCase();
    if (!isOrdinaryField(field) || lower === "authorization" || lower === "cookie") add(code, ["Forward", "Headers", field], `'${quoted(field)}' is no field that could say who the client is`);
    if (claim === "" || (claim.startsWith("@") && claim !== "@name" && claim !== "@scheme")) add(code, ["Forward", "Headers", field], `'${quoted(claim)}' is no claim`, "@name and @scheme are those of the identity");
  }
  if ((mode === "Exchange") !== (exchange !== undefined)) {
    add(code, ["Forward", mode === "Exchange" ? "Exchange" : "Token"], mode === "Exchange" ? "Token Exchange needs the section Exchange" : "the section Exchange is for Token Exchange");
  }
  if (exchange === undefined) return;
  const within: AddPolicyIssue = (issue, member, message, hint) => add(issue, ["Forward", "Exchange", ...member], message, hint);
  if (!exchange.endpoint) within(code, ["Endpoint"], "Exchange needs an Endpoint");
  else checkAskedUrl(exchange.endpoint, true, "Endpoint", within, code);
  if (!exchange.audience && !exchange.resource && !exchange.scope) within(code, [], "Exchange needs Audience, Resource or Scope: a token for everybody is the one there is already");
  if (exchange.clientSecret !== undefined && !exchange.clientId) within(code, ["ClientId"], "ClientSecret needs a ClientId");
  checkDuration(within, "Timeout", exchange.timeout, 1, 300_000, "above 0, up to 5 minutes", code);
}
