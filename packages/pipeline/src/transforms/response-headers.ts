import { copyResponseFields } from "@proxy/forwarder";
import { HeaderList } from "@proxy/http";
import { headerKeys } from "./header-settings.ts";
import { copyForm, lineForm, removeForm } from "./line-forms.ts";
import { copyMissing } from "./take-header.ts";
import type { ResponseTransform, TransformFactory } from "./transform.ts";

const allowLists = new WeakSet<ResponseTransform>();

/** `ResponseHeader: n` with `Set` or `Append: v`, on the responses that `When` names. */
export const responseHeader: TransformFactory = lineForm("ResponseHeader", (plan, change) => {
  const copiedByList = plan.response.some((each) => allowLists.has(each));
  plan.response.push(({ status, headers }, _ctx, destination) => {
    if (!change.holds(status)) return;
    const uncopied = change.append && destination !== undefined && !copiedByList && !plan.copyResponseHeaders;
    if (uncopied) copyMissing(headers, change.key, destination.headers);
    change.apply(headers);
  });
});

/** `ResponseHeaderRemove: n`, on the responses that `When` names. */
export const responseHeaderRemove: TransformFactory = removeForm("ResponseHeaderRemove", (plan, holds, key) => {
  plan.response.push((response) => {
    if (holds(response.status)) response.headers.remove(key);
  });
});

/** `ResponseHeadersCopy: false` lets only what transforms write go to the client. */
export const responseHeadersCopy: TransformFactory = copyForm("ResponseHeadersCopy", "copyResponseHeaders");

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
