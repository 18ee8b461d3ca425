import { appendParameter, removeParameter, setParameter } from "./query-text.ts";
import type { TransformFactory } from "./transform.ts";

/** `QueryValueParameter: k` with `Set` or `Append: v` puts a fixed value into the query. */
export const queryValueParameter: TransformFactory = {
  key: "QueryValueParameter",
  build(settings, plan) {
    const change = settings.setOrAppend("Append");
    if (change === undefined) return;
    const name = settings.value;
    const { value } = change;
    const apply = change.append ? appendParameter : setParameter;
    plan.request.push((outgoing) => {
      outgoing.query = apply(outgoing.query, name, value);
    });
  },
};

/** `QueryRemoveParameter: k` takes a parameter out of the query. */
export const queryRemoveParameter: TransformFactory = {
  key: "QueryRemoveParameter",
  build(settings, plan) {
    if (!settings.only()) return;
    const name = settings.value;
    plan.request.push((outgoing) => {
      outgoing.query = removeParameter(outgoing.query, name);
    });
  },
};
