import { isMethod } from "@proxy/http";
import type { TransformFactory } from "./transform.ts";

/** `HttpMethodChange: FROM` with `Set: TO` changes one method into another. */
export const httpMethodChange: TransformFactory = {
  key: "HttpMethodChange",
  build(settings, plan) {
    const to = settings.get("Set");
    if (to === undefined) {
      settings.report("missing-set", `transform 'HttpMethodChange' needs Set`);
      return;
    }
    if (!settings.only("Set")) return;
    const from = standardCase(settings.value);
    const method = standardCase(to);
    if (!isMethod(from) || !isMethod(method)) {
      settings.report("bad-method", `transform 'HttpMethodChange' takes methods, not '${settings.value}' and '${to}'`);
      return;
    }
    if (method === "CONNECT") {
      settings.report("bad-method", "transform 'HttpMethodChange' cannot make a CONNECT of a request");
      return;
    }
    plan.request.push((outgoing) => {
      if (outgoing.method === from) outgoing.method = method;
    });
  },
};

const standard = new Set(["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"]);

/** `get` is GET: the standard's own methods are meant in any case, all others as they are written (RFC 9110, 9.1). */
export function standardCase(method: string): string {
  const upper = method.toUpperCase();
  return standard.has(upper) ? upper : method;
}
