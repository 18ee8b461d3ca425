/**
 * 1. `authentication`: the schemes of the route's policy are asked who it is. What they say is kept for the step behind, and for those of users in between.
 * 2. `authorization`: the policy is asked whether they may. Who may not is told so; the rest goes on, with the head that the destination is to see.
 */
import type { Next, ProxyContext, Step } from "@proxy/pipeline";
import type { AuthenticationResult, AuthenticationScheme } from "../authentication/scheme.ts";
import { AnsweredOrUpgradedExchange } from "../exchange/answered-exchange.ts";
import { identityOf, setIdentity } from "../identity/identity.ts";
import { askSchemes, isAuthenticated, type Findings } from "./ask-schemes.ts";
import type { Forwarding } from "./forwarding.ts";
import { challenge, forbid } from "./refusals.ts";
import type { Requirement } from "./requirement.ts";

/** A policy, ready to be asked. */
export interface AuthorizationPolicy {
  readonly schemes: readonly AuthenticationScheme[];
  readonly requirement: Requirement;
  /** Those that it asks for, for the challenge. */
  readonly scopes: readonly string[];
  /** What becomes of the request's head; undefined: it stays. */
  readonly forwarding: Forwarding | undefined;
}

const key = Symbol("findings");

export function authenticationRun({ schemes }: AuthorizationPolicy): Step["run"] {
  return (ctx, next) => {
    const findings = askSchemes(schemes, ctx.exchange);
    if (findings instanceof Promise) return keepLater(ctx, next, findings);
    keep(ctx, findings);
    return next(ctx);
  };
}

async function keepLater(ctx: ProxyContext, next: Next, pending: Promise<Findings>): Promise<void> {
  const findings = await pending;
  if (isOver(ctx)) return;
  keep(ctx, findings);
  await next(ctx);
}

function keep(ctx: ProxyContext, findings: Findings): void {
  if (!isAuthenticated(findings)) {
    ctx.items.set(key, findings);
    for (const each of findings) if (each.kind === "none" && each.onResponse !== undefined) ctx.exchange = new AnsweredOrUpgradedExchange(ctx.exchange, each.onResponse);
    return;
  }
  setIdentity(ctx, findings.identity);
  if (findings.onResponse !== undefined) ctx.exchange = new AnsweredOrUpgradedExchange(ctx.exchange, findings.onResponse);
}

export function authorizationRun(policy: AuthorizationPolicy): Step["run"] {
  return (ctx, next) => {
    const allowed = policy.requirement(identityOf(ctx), ctx);
    return allowed instanceof Promise ? decideLater(policy, ctx, next, allowed) : decide(policy, ctx, next, allowed);
  };
}

async function decideLater(policy: AuthorizationPolicy, ctx: ProxyContext, next: Next, pending: Promise<boolean>): Promise<void> {
  const allowed = await pending;
  if (!isOver(ctx)) await decide(policy, ctx, next, allowed);
}

function decide({ schemes, scopes, forwarding }: AuthorizationPolicy, ctx: ProxyContext, next: Next, allowed: boolean): void | Promise<void> {
  const identity = identityOf(ctx);
  if (!allowed) {
    if (identity !== undefined) return forbid(ctx.exchange, schemes, identity, scopes);
    return challenge(ctx.exchange, schemes, (ctx.item(key) ?? []) as readonly AuthenticationResult[]);
  }
  const pending = forwarding?.(ctx, identity);
  return pending === undefined ? next(ctx) : goOn(ctx, next, pending);
}

async function goOn(ctx: ProxyContext, next: Next, pending: Promise<boolean>): Promise<void> {
  if ((await pending) && !isOver(ctx)) await next(ctx);
}

/** Answered meanwhile, or the client is gone. */
function isOver({ exchange: { response } }: ProxyContext): boolean {
  return response.started || response.ended;
}
