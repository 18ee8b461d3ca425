/**
 * The way of every request, in this order. Steps of users and of other packages go between them by name.
 *
 * - `timeout` starts the clock of the route's `Timeout`
 * - `answer` ends the way of routes that respond or redirect
 * - `initialise` refuses routes without a cluster
 * - `session-affinity` a place kept
 * - `load-balancing` leaves one destination, or none
 * - `passive-health` a place kept
 * - `limits` sets the route's own limit of the request body
 * - `forward` sends the request and gives back the outcome
 */
import { systemRandom, type RandomSource } from "@proxy/cluster";
import type { Trust } from "../trusted-peers.ts";
import type { ProxyLogger } from "../logger.ts";
import { answerStep } from "./answer.ts";
import { forwardStep } from "./forward.ts";
import { initialiseStep } from "./initialise.ts";
import { limitsStep } from "./limits.ts";
import { loadBalancingStep } from "./load-balancing.ts";
import type { Step } from "./step.ts";
import { timeoutStep } from "./timeout.ts";

export interface DefaultStepOptions {
  readonly logger: ProxyLogger;
  readonly random?: RandomSource | undefined;
  /** Whose forwarding fields are believed. Default: nobody's. */
  readonly trust?: Trust | undefined;
}

export function defaultSteps(options: DefaultStepOptions): readonly Step[] {
  return [
    timeoutStep(options.logger),
    answerStep,
    initialiseStep(options.logger),
    placeFor("session-affinity"),
    loadBalancingStep(options.logger),
    placeFor("passive-health"),
    limitsStep,
    forwardStep(options.logger, options.random ?? systemRandom, options.trust ?? (() => false)),
  ];
}

/** A name to put steps before or after; never part of a chain. */
function placeFor(name: string): Step {
  return { name, applies: () => false, run: (ctx, next) => next(ctx) };
}
