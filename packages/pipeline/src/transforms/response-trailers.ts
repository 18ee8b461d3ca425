import { headerKey, HeaderList } from "@proxy/http";
import { checkHeader, headerKeys, warnOfName } from "./header-settings.ts";
import type { TransformFactory } from "./transform.ts";
import { when } from "./when.ts";

/** `ResponseTrailer: n` with `Set` or `Append: v`, on the responses that `When` names. */
export const responseTrailer: TransformFactory = {
  key: "ResponseTrailer",
  build(settings, plan) {
    const change = settings.setOrAppend("Set", "When");
    const holds = when(settings);
    if (change === undefined || holds === undefined) return;
    const name = settings.value;
    const { append, value } = change;
    if (!checkHeader(settings, name, value)) return;
    const line = HeaderList.from([[name, value]]);
    plan.trailers.push((trailers, _ctx, status) => {
      if (!holds(status)) return;
      if (append) trailers.appendFrom(line, 0);
      else trailers.set(name, value);
    });
  },
};

/** `ResponseTrailerRemove: n`, on the responses that `When` names. */
export const responseTrailerRemove: TransformFactory = {
  key: "ResponseTrailerRemove",
  build(settings, plan) {
    const holds = when(settings);
    if (!settings.only("When") || holds === undefined) return;
    warnOfName(settings, settings.value);
    const key = headerKey(settings.value);
    plan.trailers.push((trailers, _ctx, status) => {
      if (holds(status)) trailers.remove(key);
    });
  },
};

/** `ResponseTrailersCopy: false` lets only what transforms write go to the client as trailers. */
export const responseTrailersCopy: TransformFactory = {
  key: "ResponseTrailersCopy",
  build(settings, plan) {
    const copy = settings.boolean();
    if (copy !== undefined && settings.only()) plan.copyResponseTrailers = copy;
  },
};

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
