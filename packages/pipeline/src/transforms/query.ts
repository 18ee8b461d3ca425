import { decodePercent } from "../routing/path-text.ts";
import { appendParameter, removeParameter, setParameter } from "./query-text.ts";
import { warnOfRouteValue } from "./route-value-names.ts";
import type { TransformFactory } from "./transform.ts";

/** `QueryValueParameter: k` with `Set` or `Append: v` puts a fixed value into the query. */
export const queryValueParameter: TransformFactory = {
  key: "QueryValueParameter",
  build(settings, plan) {
    const change = settings.setOrAppend("Append");
    if (change === undefined) return;
    const name = settings.value.toWellFormed();
    const value = change.value.toWellFormed();
    const apply = change.append ? appendParameter : setParameter;
    plan.request.push((outgoing) => {
      outgoing.query = apply(outgoing.query, name, value);
    });
  },
};

/**
 * `QueryRouteParameter: k` with `Set` or `Append: routeValue` puts what the route's path captured into the query, wholly
 * decoded and encoded anew. Without that value nothing changes.
 */
export const queryRouteParameter: TransformFactory = {
  key: "QueryRouteParameter",
  build(settings, plan, route) {
    const change = settings.setOrAppend("Append");
    if (change === undefined) return;
    const name = settings.value.toWellFormed();
    const { value: parameter } = change;
    warnOfRouteValue(settings, route, parameter);
    const apply = change.append ? appendParameter : setParameter;
    plan.request.push((outgoing, ctx) => {
      const raw = ctx.routeValues.getRaw(parameter);
      if (raw === undefined || raw === "") return;
      outgoing.query = apply(outgoing.query, name, decodePercent(raw, { keepSlash: false, plusIsBlank: false }));
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
