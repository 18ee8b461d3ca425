import type { Clock, HealthUpdater, OutlierDetector, RequestOutcome } from "@proxy/cluster";
import type { ProxyContext } from "../context.ts";
import type { Step } from "./step.ts";

export interface PassiveHealthOptions {
  readonly updater: HealthUpdater;
  readonly outliers: OutlierDetector;
  readonly clock: Clock;
}

/** Tells the cluster's passive health policy and outlier detection how the request ended, once it was sent to a destination. */
export function passiveHealthStep(options: PassiveHealthOptions): Step {
  return {
    name: "passive-health",
    applies: (route) => route.answer === undefined,
    run(ctx, next) {
      const { cluster } = ctx;
      if (cluster?.passiveHealth === undefined && cluster?.config.outlierDetection?.enabled !== true) return next(ctx);
      const watch = new Watch(ctx, options);
      const pending = next(ctx);
      if (pending === undefined) watch.end();
      else return pending.then(() => watch.end());
    },
  };
}

class Watch {
  readonly #ctx: ProxyContext;
  readonly #options: PassiveHealthOptions;
  readonly #began: number;
  #latency: number | undefined = undefined;
  #clientGone = false;

  constructor(ctx: ProxyContext, options: PassiveHealthOptions) {
    this.#ctx = ctx;
    this.#options = options;
    this.#began = options.clock.now();
    // To be told of the head, forwarding takes a way that costs more: only where latencies are compared.
    const outlierDetection = ctx.cluster?.config.outlierDetection;
    if (outlierDetection?.enabled === true && (outlierDetection.latencyPercent ?? 0) > 0) ctx.headWatch = this;
    ctx.exchange.onClientGone(() => (this.#clientGone = true));
  }

  headCame(): void {
    this.#latency ??= this.#options.clock.now() - this.#began;
  }

  end(): void {
    const { cluster, clusterState, destination, destinationStatus, exchange, outcome } = this.#ctx;
    if (clusterState === undefined || destination === undefined) return;
    const { updater, outliers, clock } = this.#options;
    const ended: RequestOutcome = {
      error: outcome?.code,
      clientGone: this.#clientGone,
      status: destinationStatus ?? (outcome === undefined ? exchange.response.status : undefined),
      duration: clock.now() - this.#began,
      source: outcome?.source,
      latency: this.#latency,
    };
    cluster?.passiveHealth?.requestEnded(clusterState, destination, ended, updater);
    outliers.requestEnded(clusterState, destination, ended);
  }
}
