import { copyRequestFields } from "@proxy/forwarder";
import { headerKey, HeaderList } from "@proxy/http";
import { checkHeader, checkHost, headerKeys, warnOfName } from "./header-settings.ts";
import { dropClientForwarded } from "./route-transformer.ts";
import { copyFromClient } from "./take-header.ts";
import type { RequestTransform, TransformFactory, TransformPlan } from "./transform.ts";

/** `RequestHeader: n` with `Set` or `Append: v`: replaces the lines of that name, or adds one. */
export const requestHeader: TransformFactory = {
  key: "RequestHeader",
  build(settings, plan) {
    const change = settings.setOrAppend("Set");
    if (change === undefined) return;
    const name = settings.value;
    const { value, append } = change;
    if (!checkHeader(settings, name, value) || !checkHost(settings, name, append, value)) return;
    const line = HeaderList.from([[name, value]]);
    const key = line.keyAt(0);
    if (!append) {
      plan.request.push((outgoing) => {
        if (outgoing.headers.has(key)) outgoing.headers.set(name, value);
        else outgoing.headers.appendFrom(line, 0);
      });
      return;
    }
    const isCopied = copiedHere(plan);
    plan.request.push((outgoing, ctx) => {
      // Appending means to what the client sent, also where its fields are not copied.
      if (!isCopied()) copyFromClient(outgoing.headers, key, ctx);
      outgoing.headers.appendFrom(line, 0);
    });
  },
};

/** `RequestHeaderRemove: n` takes all lines of that name out. */
export const requestHeaderRemove: TransformFactory = {
  key: "RequestHeaderRemove",
  build(settings, plan) {
    if (!settings.only()) return;
    warnOfName(settings, settings.value);
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

/**
 * `RequestHeadersAllowed: a;b;c` copies only these, when its turn comes. Fields of the connection, and those that
 * `Connection` names, do not pass, listed or not.
 */
export const requestHeadersAllowed: TransformFactory = {
  key: "RequestHeadersAllowed",
  build(settings, plan) {
    if (!settings.only()) return;
    const allowed = headerKeys(settings, settings.value);
    const copy: RequestTransform = (outgoing, ctx) => {
      // A later RequestHeadersCopy may have turned the copying on again: everything is there already.
      if (plan.copyRequestHeaders) return;
      const passing = new HeaderList();
      copyRequestFields(ctx.exchange.request, passing);
      if (!ctx.trustedPeer) dropClientForwarded(passing);
      const { headers } = outgoing;
      for (let i = 0; i < passing.size; i++) {
        const key = passing.keyAt(i);
        // The client's Host is for `RequestHeaderOriginalHost` to let pass.
        if (allowed.has(key) && key !== "host") headers.appendFrom(passing, i);
      }
    };
    plan.copyRequestHeaders = false;
    plan.request.push(copy);
    allowLists.add(copy);
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

const allowLists = new WeakSet<RequestTransform>();

/** Whether the client's fields are in the outgoing request when the next transform runs; later settings count too. */
export function copiedHere(plan: TransformPlan): () => boolean {
  const byList = plan.request.some((each) => allowLists.has(each));
  return () => byList || plan.copyRequestHeaders;
}
