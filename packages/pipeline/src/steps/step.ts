import type { ProxyContext } from "../context.ts";
import type { RouteModel } from "../route-model.ts";

/** What follows in the chain. Gives a promise only when something in it waits. */
export type Next = (ctx: ProxyContext) => void | Promise<void>;

/**
 * One piece of a request's way through the proxy. It may look at and change the context, answer on the exchange and
 * not call `next`, or call `next(ctx)`, once, and act afterwards; a promise that `next` gave is returned or awaited. When all steps
 * are over and nothing was answered, the proxy answers 500.
 *
 * A step that only acts before `next` is written without `async` and ends in `return next(ctx)`: it then costs no
 * promise.
 */
export interface Step {
  /** Unique in the chain; other steps are put before or after it by this name. */
  readonly name: string;
  /** Says, when configuration is compiled, whether the chain of `route` holds the step. Default: every route's does. */
  readonly applies?: ((route: RouteModel) => boolean) | undefined;
  readonly run: (ctx: ProxyContext, next: Next) => void | Promise<void>;
  /**
   * For a step whose work follows from the route: what runs in the place of `run` for requests of `route`, made when configuration is
   * compiled; undefined: its chain does not hold the step.
   */
  readonly bind?: ((route: RouteModel) => Step["run"] | undefined) | undefined;
}
