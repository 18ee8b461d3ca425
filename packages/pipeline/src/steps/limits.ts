import type { Step } from "./step.ts";

/** `MaxRequestBodySize` of the route; -1 is unlimited. Left alone when the server says that it is too late. */
export const limitsStep: Step = {
  name: "limits",
  applies: (route) => route.answer === undefined && typeof route.config.maxRequestBodySize === "number",
  run(ctx, next) {
    const maximum = ctx.route.config.maxRequestBodySize;
    const limit = ctx.exchange.features.bodyLimit;
    if (maximum !== undefined && limit !== undefined && !limit.readOnly) limit.set(maximum < 0 ? undefined : maximum);
    return next(ctx);
  },
};
