import type { Condition } from "./condition.ts";
import type { TransformSettings } from "./transform-settings.ts";
import type { TransformPlan } from "./transform.ts";

/**
 * Lets `build` add to `plan` what then runs only where `condition` holds. What a transform switches for the whole route
 * cannot depend on a request: that is reported.
 */
export function buildConditionally(
  settings: TransformSettings,
  plan: TransformPlan,
  condition: Condition,
  build: (plan: TransformPlan) => void,
): void {
  const added = { request: [...plan.request], response: [...plan.response], trailers: [...plan.trailers] };
  // Switches are read through to the plan; those that `build` writes stay here, where they are seen.
  const scoped = Object.assign(Object.create(plan) as TransformPlan, added);
  build(scoped);
  if (Object.keys(scoped).length > Object.keys(added).length) {
    settings.report("if-not-possible", `transform '${settings.form}' holds for the whole route and takes no If`);
    return;
  }
  if (condition.needsStatus && added.request.length > plan.request.length) {
    settings.report("if-not-possible", `transform '${settings.form}' changes requests, and its If asks for a status`);
    return;
  }
  const { holds } = condition;
  for (const each of added.request.slice(plan.request.length)) {
    plan.request.push((outgoing, ctx) => (holds(ctx.exchange.request, undefined) ? each(outgoing, ctx) : undefined));
  }
  for (const each of added.response.slice(plan.response.length)) {
    plan.response.push((response, ctx, destination) =>
      holds(ctx.exchange.request, response.status) ? each(response, ctx, destination) : undefined,
    );
  }
  for (const each of added.trailers.slice(plan.trailers.length)) {
    plan.trailers.push((trailers, ctx, status) => {
      if (holds(ctx.exchange.request, status)) each(trailers, ctx, status);
    });
  }
}
