import { headerKey, HeaderList, isAuthority, isHeaderValue } from "@proxy/http";
import { checkHeaderName, checkHost } from "./header-settings.ts";
import { copiedHere } from "./request-headers.ts";
import { warnOfRouteValue } from "./route-value-names.ts";
import { copyFromClient } from "./take-header.ts";
import type { TransformFactory } from "./transform.ts";

/**
 * `RequestHeaderRouteValue: n` with `Set` or `Append: routeValue`. Without that value nothing changes. The value goes out
 * as the bytes that the path had encoded; a request whose value no field can hold is answered with 400.
 */
export const requestHeaderRouteValue: TransformFactory = {
  key: "RequestHeaderRouteValue",
  build(settings, plan, route) {
    const change = settings.setOrAppend("Append");
    if (change === undefined) return;
    const name = settings.value;
    const { append, value: parameter } = change;
    if (!checkHeaderName(settings, name) || !checkHost(settings, name, append, undefined)) return;
    warnOfRouteValue(settings, route, parameter);
    const key = headerKey(name);
    const isValid = key === "host" ? isAuthority : isHeaderValue;
    const isCopied = copiedHere(plan);
    plan.request.push((outgoing, ctx) => {
      const captured = ctx.routeValues.get(parameter);
      if (captured === undefined || captured === "") return;
      const value = utf8Bytes(captured);
      if (!isValid(value)) {
        ctx.exchange.response.send({ status: 400, headers: new HeaderList() });
        return;
      }
      if (!append) {
        outgoing.headers.set(name, value);
        return;
      }
      if (!isCopied()) copyFromClient(outgoing.headers, key, ctx);
      outgoing.headers.append(name, value);
    });
  },
};

/** Header values are bytes, one character each. */
function utf8Bytes(text: string): string {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 0x7f) return Buffer.from(text, "utf8").toString("latin1");
  }
  return text;
}
