import type { Step } from "./step.ts";

/** Routes that respond or redirect end here, after all steps that see every matched request. */
export const answerStep: Step = {
  name: "answer",
  applies: (route) => route.answer !== undefined,
  run: (ctx, next) => (ctx.route.answer === undefined ? next(ctx) : ctx.route.answer(ctx)),
};
