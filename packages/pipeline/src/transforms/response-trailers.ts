import { headerKeys } from "./header-settings.ts";
import { copyForm, lineForm, removeForm } from "./line-forms.ts";
import type { TransformFactory } from "./transform.ts";

/** `ResponseTrailer: n` with `Set` or `Append: v`, on the responses that `When` names. */
export const responseTrailer: TransformFactory = lineForm("ResponseTrailer", (plan, change) => {
  plan.trailers.push((trailers, _ctx, status) => {
    if (change.holds(status)) change.apply(trailers);
  });
});

/** `ResponseTrailerRemove: n`, on the responses that `When` names. */
export const responseTrailerRemove: TransformFactory = removeForm("ResponseTrailerRemove", (plan, holds, key) => {
  plan.trailers.push((trailers, _ctx, status) => {
    if (holds(status)) trailers.remove(key);
  });
});

/** `ResponseTrailersCopy: false` lets only what transforms write go to the client as trailers. */
export const responseTrailersCopy: TransformFactory = copyForm("ResponseTrailersCopy", "copyResponseTrailers");

/** `ResponseTrailersAllowed: a;b;c` copies only these of the destination's trailers; the other transforms run after it. */
export const responseTrailersAllowed: TransformFactory = {
  key: "ResponseTrailersAllowed",
  build(settings, plan) {
    if (!settings.only()) return;
    const allowed = headerKeys(settings, settings.value);
    plan.copyResponseTrailers = true;
    plan.trailers.unshift((trailers) => trailers.filter((key) => allowed.has(key)));
  },
};
