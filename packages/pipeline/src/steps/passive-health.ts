import type { Clock, HealthUpdater, RequestOutcome } from "@proxy/cluster";
import type { ProxyContext } from "../context.ts";
import type { Step } from "./step.ts";

/** Tells the cluster's passive health policy how the request ended, once it was sent to a destination. */
export function passiveHealthStep(updater: HealthUpdater, clock: Clock): Step {
  return {
    name: "passive-health",
    applies: (route) => route.answer === undefined,
    run(ctx, next) {
      if (ctx.cluster?.passiveHealth === undefined) return next(ctx);
      const watch = new Watch(ctx, updater, clock);
      const pending = next(ctx);
      if (pending === undefined) watch.end();
      else return pending.then(() => watch.end());
    },
  };
}

class Watch {
  readonly #ctx: ProxyContext;
  readonly #updater: HealthUpdater;
  readonly #clock: Clock;
  readonly #began: number;
  #clientGone = false;

  constructor(ctx: ProxyContext, updater: HealthUpdater, clock: Clock) {
    this.#ctx = ctx;
    this.#updater = updater;
    this.#clock = clock;
    this.#began = clock.now();
    ctx.exchange.onClientGone(() => (this.#clientGone = true));
  }

  end(): void {
    const { cluster, clusterState, destination, destinationStatus, exchange, outcome } = this.#ctx;
    if (clusterState === undefined || destination === undefined) return;
    const ended: RequestOutcome = {
      error: outcome?.code,
      clientGone: this.#clientGone,
      status: destinationStatus ?? (outcome === undefined ? exchange.response.status : undefined),
      duration: this.#clock.now() - this.#began,
    };
    cluster?.passiveHealth?.requestEnded(clusterState, destination, ended, this.#updater);
  }
}
