import { headerKey } from "@proxy/http";
import { checkHeader } from "./header-settings.ts";
import type { TransformSettings } from "./transform-settings.ts";
import type { ClientResponse, TransformFactory } from "./transform.ts";

/** `ResponseHeader: n` with `Set` or `Append: v`, on the responses that `When` names. */
export const responseHeader: TransformFactory = {
  key: "ResponseHeader",
  build(settings, plan) {
    const change = settings.setOrAppend("Set", "When");
    const holds = condition(settings);
    if (change === undefined || holds === undefined) return;
    const name = settings.value;
    const { append, value } = change;
    if (!checkHeader(settings, name, value)) return;
    plan.response.push((response, _ctx, destination) => {
      if (!holds(response, destination !== undefined)) return;
      if (append) response.headers.append(name, value);
      else response.headers.set(name, value);
    });
  },
};

/** `ResponseHeaderRemove: n`, on the responses that `When` names. */
export const responseHeaderRemove: TransformFactory = {
  key: "ResponseHeaderRemove",
  build(settings, plan) {
    const holds = condition(settings);
    if (!settings.only("When") || holds === undefined) return;
    const key = headerKey(settings.value);
    plan.response.push((response, _ctx, destination) => {
      if (holds(response, destination !== undefined)) response.headers.remove(key);
    });
  },
};

type Condition = (response: ClientResponse, received: boolean) => boolean;

const conditions = new Map<string, Condition>([
  ["always", () => true],
  ["success", (response) => response.status < 400],
  ["failure", (response, received) => response.status >= 400 || !received],
]);

/** `When`: Always, Success (the default: a status below 400), Failure (400 and above, or no response). */
function condition(settings: TransformSettings): Condition | undefined {
  const name = settings.get("When") ?? "Success";
  const holds = conditions.get(name.toLowerCase());
  if (holds === undefined) {
    settings.report("bad-when", `transform '${settings.form}' knows Always, Success and Failure, not '${name}'`);
  }
  return holds;
}
