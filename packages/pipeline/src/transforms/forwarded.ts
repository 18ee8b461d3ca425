import { headerKey } from "@proxy/http";
import type { OutgoingRequest } from "@proxy/forwarder";
import type { ProxyContext } from "../context.ts";
import type { TransformSettings } from "./transform-settings.ts";
import type { RequestTransform, TransformFactory, TransformPlan } from "./transform.ts";

type ForwardedAction = "Set" | "Append" | "Remove" | "Off";

const actions: ReadonlySet<string> = new Set<ForwardedAction>(["Set", "Append", "Remove", "Off"]);

/** What each part of the X-Forwarded family says of a request; undefined when it is not known. */
const parts = new Map<string, (ctx: ProxyContext) => string | undefined>([
  ["For", (ctx) => ctx.exchange.connection.remoteAddress],
  ["Host", (ctx) => ctx.exchange.request.authority || undefined],
  ["Proto", (ctx) => ctx.exchange.request.scheme],
  // A path base is what an embedding server took off the path before us; the exchange knows none.
  ["Prefix", () => undefined],
]);

/**
 * `X-Forwarded: <action>` with `For`, `Host`, `Proto`, `Prefix` for single parts and `HeaderPrefix`. Replaces the
 * default set. Names of actions are case-sensitive, as in YARP.
 */
export const xForwarded: TransformFactory = {
  key: "X-Forwarded",
  build(settings, plan) {
    if (!settings.only(...parts.keys(), "HeaderPrefix")) return;
    const main = action(settings, "X-Forwarded", settings.value);
    const chosen = [...parts.keys()].map((part) => {
      const own = settings.get(part);
      return [part, own === undefined ? main : action(settings, part, own)] as const;
    });
    if (main === undefined || chosen.some(([, each]) => each === undefined)) return;
    plan.forwardedConfigured = true;
    const prefix = settings.get("HeaderPrefix") ?? "X-Forwarded-";
    for (const [part, each] of chosen) if (each !== undefined) addXForwarded(plan, prefix + part, part, each);
    if (chosen.some(([, each]) => each !== "Off")) plan.request.push(removeForwarded);
  },
};

/** The set that a route has when no transform decides: For, Host, Proto and Prefix anew, no `Forwarded`. */
export function addDefaultXForwarded(plan: TransformPlan): void {
  for (const part of parts.keys()) addXForwarded(plan, `X-Forwarded-${part}`, part, "Set");
  plan.request.push(removeForwarded);
}

const removeForwarded: RequestTransform = (outgoing) => void outgoing.headers.remove("forwarded");

function addXForwarded(plan: TransformPlan, name: string, part: string, action: ForwardedAction): void {
  const valueOf = parts.get(part);
  if (action === "Off" || valueOf === undefined) return;
  const key = headerKey(name);
  plan.request.push((outgoing: OutgoingRequest, ctx: ProxyContext) => {
    const value = action === "Remove" ? undefined : valueOf(ctx);
    if (action !== "Append") outgoing.headers.remove(key);
    if (value !== undefined) outgoing.headers.append(name, value);
  });
}

function action(settings: TransformSettings, key: string, name: string): ForwardedAction | undefined {
  if (actions.has(name)) return name as ForwardedAction;
  settings.report(
    "bad-forwarded-action",
    `transform 'X-Forwarded' has no action '${name}' for ${key}: known are ${[...actions].join(", ")}`,
  );
  return undefined;
}
