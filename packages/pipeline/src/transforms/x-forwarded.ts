import { clientAddressOf, headerKey, type HeaderList } from "@proxy/http";
import type { OutgoingRequest } from "@proxy/forwarder";
import type { ProxyContext } from "../context.ts";
import { clientScheme } from "./client-scheme.ts";
import { removeSpellings } from "./field-spellings.ts";
import { forwardedAction, type ForwardedAction } from "./forwarded-action.ts";
import { checkHeaderName } from "./header-settings.ts";
import { copiedHere } from "./request-headers.ts";
import { asciiAuthority, shownAddress } from "./shown-peer.ts";
import { encodePath } from "./path-text.ts";
import { copyFromClient } from "./take-header.ts";
import type { RequestTransform, TransformFactory, TransformPlan } from "./transform.ts";

/**
 * What each part of the X-Forwarded family says of a request; undefined when it is not known. `appends`: after what the peer, a proxy that
 * is believed, says itself.
 */
const parts = new Map<string, (ctx: ProxyContext, appends: boolean) => string | undefined>([
  ["For", ({ exchange }, appends) => shownAddress(appends ? exchange.connection.remoteAddress : clientAddressOf(exchange))],
  ["Host", (ctx) => asciiAuthority(ctx.exchange.request.authority)],
  ["Proto", (ctx, appends) => (appends ? ctx.exchange.request.scheme : clientScheme(ctx))],
  ["Prefix", (ctx) => pathBase(ctx)],
]);

/**
 * `X-Forwarded: <action>` with `For`, `Host`, `Proto`, `Prefix` for single parts and `HeaderPrefix`. Replaces the
 * default set. Names of actions are case-sensitive, as in YARP.
 */
export const xForwarded: TransformFactory = {
  key: "X-Forwarded",
  build(settings, plan) {
    if (!settings.only(...parts.keys(), "HeaderPrefix")) return;
    const main = forwardedAction(settings, "X-Forwarded", settings.value);
    const chosen = [...parts.keys()].map((part) => {
      const own = settings.get(part);
      return [part, own === undefined ? main : forwardedAction(settings, part, own)] as const;
    });
    if (main === undefined || chosen.some(([, each]) => each === undefined)) return;
    const prefix = settings.get("HeaderPrefix") ?? "X-Forwarded-";
    for (const [part] of chosen) {
      const name = prefix + part;
      if (!checkHeaderName(settings, name)) return;
      if (headerKey(name) === "host") {
        settings.report("bad-header-name", "transform 'X-Forwarded' makes a second Host of its HeaderPrefix");
        return;
      }
    }
    plan.forwardedConfigured = true;
    for (const [part, each] of chosen) if (each !== undefined) addXForwarded(plan, prefix + part, part, each);
    if (chosen.some(([, each]) => each !== "Off")) plan.request.push(removeForwarded);
  },
};

/** The set that a route has when no transform decides: For, Host, Proto and Prefix anew, no `Forwarded`. */
export function addDefaultXForwarded(plan: TransformPlan): void {
  for (const part of parts.keys()) addXForwarded(plan, `X-Forwarded-${part}`, part, "Set");
  plan.request.push(removeForwarded);
}

/** Removes what came under the four standard names: `Forwarded` tells it now. */
export function removeXForwarded(plan: TransformPlan): void {
  for (const part of parts.keys()) addXForwarded(plan, `X-Forwarded-${part}`, part, "Remove");
}

const removeForwarded: RequestTransform = (outgoing) => void outgoing.headers.remove("forwarded");

function addXForwarded(plan: TransformPlan, name: string, part: string, action: ForwardedAction): void {
  const valueOf = parts.get(part);
  if (action === "Off" || valueOf === undefined) return;
  const key = headerKey(name);
  // Those of the family itself are gone by then in any other spelling.
  const remove = key.startsWith("x-forwarded-") ? (headers: HeaderList): void => void headers.remove(key) : (headers: HeaderList): void => removeSpellings(headers, key);
  if (action === "Remove") {
    plan.request.push((outgoing) => remove(outgoing.headers));
    return;
  }
  const isCopied = action === "Append" ? copiedHere(plan) : undefined;
  plan.request.push((outgoing: OutgoingRequest, ctx: ProxyContext) => {
    const value = valueOf(ctx, isCopied !== undefined);
    if (isCopied === undefined) remove(outgoing.headers);
    else if (!isCopied()) copyFromClient(outgoing.headers, key, ctx);
    if (value !== undefined) outgoing.headers.append(name, value);
  });
}

function pathBase(ctx: ProxyContext): string | undefined {
  const { pathBase: base } = ctx.exchange.request;
  return base === undefined || base === "" ? undefined : encodePath(base);
}
