/** What a policy asks for, compiled: one function from an identity to yes or no. */
import type { AuthorizationPolicyConfig } from "@proxy/config";
import type { ProxyContext } from "@proxy/pipeline";
import type { Identity } from "../authentication/scheme.ts";

/** Waits only where a function of the application's own does. */
export type Requirement = (identity: Identity | undefined, ctx: ProxyContext) => boolean | Promise<boolean>;

const yes: Requirement = () => true;
const no: Requirement = () => false;
const isSomebody: Requirement = (identity) => identity !== undefined;

/** `named` gives what the policy of a name asks for. */
export function compileRequirement(policy: AuthorizationPolicyConfig, named: (name: string) => Requirement): Requirement {
  const parts: Requirement[] = [];
  if (policy.requireAuthenticated !== false) parts.push(isSomebody);
  if (policy.roles !== undefined) parts.push(hasOne(policy.roleClaims ?? ["role", "roles"], policy.roles));
  for (const scope of policy.scopes ?? []) parts.push(hasScope(scope));
  for (const [claim, values] of Object.entries(policy.claims ?? {})) parts.push(values.includes("*") ? hasClaim(claim) : hasOne([claim], values));
  parts.push(...(policy.all ?? []).map(named));
  if (policy.any !== undefined) parts.push(anyOf(policy.any.map(named)));
  parts.push(...(policy.not ?? []).map((name) => notOf(named(name))));
  if (policy.methods !== undefined) parts.push(byMethod(policy.methods, named));
  return allOf(parts);
}

function hasClaim(claim: string): Requirement {
  return (identity) => (identity?.claims.get(claim)?.length ?? 0) > 0;
}

function hasOne(claims: readonly string[], wanted: readonly string[]): Requirement {
  const values = new Set(wanted);
  return (identity) => identity !== undefined && claims.some((claim) => identity.claims.get(claim)?.some((value) => values.has(value)) === true);
}

/** `scope` is one text with blanks between (RFC 8693, 4.2), `scp` of Entra the same, or a list. */
function hasScope(scope: string): Requirement {
  const holds = (values: readonly string[] | undefined): boolean => values?.some((value) => value === scope || value.split(" ").includes(scope)) === true;
  return (identity) => holds(identity?.claims.get("scope")) || holds(identity?.claims.get("scp"));
}

/**
 * The method that routing saw: a WebSocket over HTTP/2 is GET. Its case does not count: `delete` is another method by RFC 9110, 9.1, and DELETE to destinations that
 * ignore case, such as ASP.NET.
 */
function byMethod(methods: Readonly<Record<string, string>>, named: (name: string) => Requirement): Requirement {
  const rules = new Map(Object.entries(methods).map(([method, policy]) => [method.toUpperCase(), named(policy)]));
  const others = rules.get("*") ?? no;
  return (identity, ctx) => {
    const { request, features } = ctx.exchange;
    const method = features.upgrade?.kind === "http2" ? "GET" : request.method;
    return (rules.get(method) ?? rules.get(method.toUpperCase()) ?? others)(identity, ctx);
  };
}

function allOf(parts: readonly Requirement[]): Requirement {
  const [first = yes, ...rest] = parts;
  if (rest.length === 0) return first;
  const later = allOf(rest);
  return (identity, ctx) => {
    const held = first(identity, ctx);
    if (held instanceof Promise) return held.then((value) => value && later(identity, ctx));
    return held && later(identity, ctx);
  };
}

function anyOf(parts: readonly Requirement[]): Requirement {
  const [first = no, ...rest] = parts;
  if (rest.length === 0) return first;
  const later = anyOf(rest);
  return (identity, ctx) => {
    const held = first(identity, ctx);
    if (held instanceof Promise) return held.then((value) => value || later(identity, ctx));
    return held || later(identity, ctx);
  };
}

function notOf(part: Requirement): Requirement {
  return (identity, ctx) => {
    const held = part(identity, ctx);
    return held instanceof Promise ? held.then((value) => !value) : !held;
  };
}
