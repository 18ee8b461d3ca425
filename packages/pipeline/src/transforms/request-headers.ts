import { headerKey } from "@proxy/http";
import { checkHeader } from "./header-settings.ts";
import type { TransformFactory } from "./transform.ts";

/** `RequestHeader: n` with `Set` or `Append: v`: replaces the lines of that name, or adds one. */
export const requestHeader: TransformFactory = {
  key: "RequestHeader",
  build(settings, plan) {
    const change = settings.setOrAppend("Set");
    if (change === undefined) return;
    const name = settings.value;
    const { value } = change;
    if (!checkHeader(settings, name, value)) return;
    if (!change.append) {
      plan.request.push((outgoing) => outgoing.headers.set(name, value));
      return;
    }
    const key = headerKey(name);
    plan.request.push((outgoing, ctx) => {
      // Appending means to what the client sent, also where its fields are not copied.
      const incoming = ctx.exchange.request.headers;
      if (!plan.copyRequestHeaders && !outgoing.headers.has(key)) {
        for (let i = incoming.indexOf(key); i >= 0; i = incoming.indexOf(key, i + 1)) outgoing.headers.appendFrom(incoming, i);
      }
      outgoing.headers.append(name, value);
    });
  },
};

/** `RequestHeaderRemove: n` takes all lines of that name out. */
export const requestHeaderRemove: TransformFactory = {
  key: "RequestHeaderRemove",
  build(settings, plan) {
    if (!settings.only()) return;
    const key = headerKey(settings.value);
    plan.request.push((outgoing) => void outgoing.headers.remove(key));
  },
};

/** `RequestHeadersCopy: false` lets only what transforms write go to the destination. */
export const requestHeadersCopy: TransformFactory = {
  key: "RequestHeadersCopy",
  build(settings, plan) {
    const copy = settings.boolean();
    if (copy !== undefined && settings.only()) plan.copyRequestHeaders = copy;
  },
};

/** `RequestHeaderOriginalHost: true` sends the client's Host to the destination instead of the destination's own. */
export const requestHeaderOriginalHost: TransformFactory = {
  key: "RequestHeaderOriginalHost",
  build(settings, plan) {
    const original = settings.boolean();
    if (original !== undefined && settings.only()) plan.originalHost = original;
  },
};
