import { copyResponseFields } from "@proxy/forwarder";
import { headerKey, HeaderList } from "@proxy/http";
import { checkHeader, headerKeys, warnOfName } from "./header-settings.ts";
import { copyMissing } from "./take-header.ts";
import type { ResponseTransform, TransformFactory } from "./transform.ts";
import { when } from "./when.ts";

const allowLists = new WeakSet<ResponseTransform>();

/** `ResponseHeader: n` with `Set` or `Append: v`, on the responses that `When` names. */
export const responseHeader: TransformFactory = {
  key: "ResponseHeader",
  build(settings, plan) {
    const change = settings.setOrAppend("Set", "When");
    const holds = when(settings);
    if (change === undefined || holds === undefined) return;
    const name = settings.value;
    const { append, value } = change;
    if (!checkHeader(settings, name, value)) return;
    const line = HeaderList.from([[name, value]]);
    const key = line.keyAt(0);
    const copiedByList = plan.response.some((each) => allowLists.has(each));
    plan.response.push((response, _ctx, destination) => {
      if (!holds(response.status)) return;
      const { headers } = response;
      if (append) {
        const uncopied = destination !== undefined && !copiedByList && !plan.copyResponseHeaders;
        if (uncopied) copyMissing(headers, key, destination.headers);
        headers.appendFrom(line, 0);
      } else if (headers.has(key)) headers.set(name, value);
      else headers.appendFrom(line, 0);
    });
  },
};

/** `ResponseHeaderRemove: n`, on the responses that `When` names. */
export const responseHeaderRemove: TransformFactory = {
  key: "ResponseHeaderRemove",
  build(settings, plan) {
    const holds = when(settings);
    if (!settings.only("When") || holds === undefined) return;
    warnOfName(settings, settings.value);
    const key = headerKey(settings.value);
    plan.response.push((response) => {
      if (holds(response.status)) response.headers.remove(key);
    });
  },
};

/** `ResponseHeadersCopy: false` lets only what transforms write go to the client. */
export const responseHeadersCopy: TransformFactory = {
  key: "ResponseHeadersCopy",
  build(settings, plan) {
    const copy = settings.boolean();
    if (copy !== undefined && settings.only()) plan.copyResponseHeaders = copy;
  },
};

/** `ResponseHeadersAllowed: a;b;c` copies only these, when its turn comes; never fields of the connection. */
export const responseHeadersAllowed: TransformFactory = {
  key: "ResponseHeadersAllowed",
  build(settings, plan) {
    if (!settings.only()) return;
    const allowed = headerKeys(settings, settings.value);
    const copy: ResponseTransform = (response, _ctx, destination) => {
      if (destination === undefined || plan.copyResponseHeaders) return;
      const passing = new HeaderList();
      copyResponseFields(destination, passing);
      for (let i = 0; i < passing.size; i++) if (allowed.has(passing.keyAt(i))) response.headers.appendFrom(passing, i);
    };
    plan.copyResponseHeaders = false;
    plan.response.push(copy);
    allowLists.add(copy);
  },
};
