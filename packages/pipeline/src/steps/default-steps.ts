/**
 * The way of every request, in this order. Steps of users and of other packages go between them by name.
 *
 * - `timeout` starts the clock of the route's `Timeout`
 * - `answer` ends the way of routes that respond or redirect
 * - `traffic-split` draws the cluster of routes that share their requests
 * - `initialise` refuses routes without a cluster
 * - `session-affinity` leaves the destinations of the request's session
 * - `mirror` copies requests to another cluster
 * - `retry` lets all behind it run again, with other destinations, when a destination failed
 * - `load-balancing` leaves one destination, or none
 * - `circuit-breaker` lets the request through, has it wait, or refuses it
 * - `passive-health` judges the destination by the outcome
 * - `delegate` hands the request to another process, where its destination says so
 * - `limits` sets the route's own limit of the request body
 * - `forward` sends the request and gives back the outcome
 */
import { HealthUpdater, OutlierDetector, systemClock, systemRandom, type Clock, type RandomSource } from "@proxy/cluster";
import { Mirrors } from "../traffic/mirrors.ts";
import type { Trust } from "../trusted-peers.ts";
import type { ProxyLogger } from "../logger.ts";
import { answerStep } from "./answer.ts";
import type { RequestDelegator } from "../request-delegator.ts";
import { circuitBreakerStep } from "./circuit-breaker.ts";
import { delegateStep } from "./delegate.ts";
import { forwardStep } from "./forward.ts";
import { initialiseStep } from "./initialise.ts";
import { limitsStep } from "./limits.ts";
import { loadBalancingStep } from "./load-balancing.ts";
import { passiveHealthStep } from "./passive-health.ts";
import { sessionAffinityStep } from "./session-affinity.ts";
import { retryStep } from "./retry.ts";
import { compileSteps } from "./runner.ts";
import type { Next, Step } from "./step.ts";
import { mirrorStep } from "./mirror.ts";
import { timeoutStep } from "./timeout.ts";
import { trafficSplitStep } from "./traffic-split.ts";

export interface DefaultStepOptions {
  readonly logger: ProxyLogger;
  readonly random?: RandomSource | undefined;
  /** Whose forwarding fields are believed. Default: nobody's. */
  readonly trust?: Trust | undefined;
  /** Sets the health of destinations. Default: one of its own, with the system's clock. */
  readonly health?: HealthUpdater | undefined;
  /** Ejects destinations that stand out. Default: one of its own, of the same clock. */
  readonly outliers?: OutlierDetector | undefined;
  readonly clock?: Clock | undefined;
  /** Tells what WebSockets carried. Default false. */
  readonly webSocketTelemetry?: boolean | undefined;
  /** Aborted when the proxy closes: WebSockets are told. */
  readonly shutdown?: AbortSignal | undefined;
  /** Hands requests over where destinations say so. Default: none does, and there is no step `delegate`. */
  readonly delegator?: RequestDelegator | undefined;
  /** Copies requests. Default: one of its own. */
  readonly mirrors?: Mirrors | undefined;
}

/** The steps of a proxy in their order, for `ReverseProxyOptions.steps`. Steps of one's own are put among them by name. */
export function defaultSteps(options: DefaultStepOptions): readonly Step[] {
  const { clock = systemClock, trust = () => false } = options;
  const updater = options.health ?? new HealthUpdater({ clock });
  const outliers = options.outliers ?? new OutlierDetector({ updater, clock });
  return [
    timeoutStep(options.logger),
    answerStep,
    trafficSplitStep(options.random ?? systemRandom, clock, trust),
    initialiseStep(options.logger),
    sessionAffinityStep(options.logger),
    mirrorStep(options.mirrors ?? createMirrors({ ...options, health: updater, outliers })),
    retryStep(options.logger),
    loadBalancingStep(options.logger, clock),
    circuitBreakerStep(options.logger, clock),
    passiveHealthStep({ updater, outliers, clock }),
    ...(options.delegator === undefined ? [] : [delegateStep(options.delegator, options.logger, options.random ?? systemRandom)]),
    limitsStep,
    forwardStep(options.logger, options.random ?? systemRandom, trust, options),
  ];
}

/** What serves copies of requests: balancing, limits, health and forwarding of their cluster, nothing of the route's way before. */
export function createMirrors(options: DefaultStepOptions): Mirrors {
  const { clock = systemClock, logger, random = systemRandom } = options;
  const updater = options.health ?? new HealthUpdater({ clock });
  const outliers = options.outliers ?? new OutlierDetector({ updater, clock });
  // How copies fail is told by `mirror-failed`.
  const quiet: ProxyLogger = {
    event(level, name, fields) {
      if (name !== "forwarding-failed" && name !== "no-available-destinations") logger.event(level, name, fields);
    },
  };
  const run: Next = compileSteps([
    loadBalancingStep(quiet, clock),
    circuitBreakerStep(quiet, clock),
    passiveHealthStep({ updater, outliers, clock }),
    forwardStep(quiet, random, options.trust ?? (() => false)),
  ]);
  return new Mirrors(logger, random, run);
}
