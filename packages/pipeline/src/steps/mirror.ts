import type { Mirrors } from "../traffic/mirrors.ts";
import type { Step } from "./step.ts";

/** Copies a share of the requests of routes with `Mirror` to another cluster. */
export function mirrorStep(mirrors: Mirrors): Step {
  return {
    name: "mirror",
    applies: (route) => route.answer === undefined && route.mirror !== undefined,
    run(ctx, next) {
      const { mirror } = ctx.route;
      return mirror === undefined ? next(ctx) : mirrors.forward(ctx, mirror, next);
    },
  };
}
