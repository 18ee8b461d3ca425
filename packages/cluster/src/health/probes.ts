import type { Clock } from "../clock.ts";
import type { ClusterState } from "../cluster-state.ts";
import type { DestinationState } from "../destination-state.ts";
import type { ProbeResult } from "./active-policy.ts";
import type { ProbeRecord } from "./health-log.ts";
import { probeRequest, type ProbeRequest, type ProbeRequestFactory } from "./probe-request.ts";

/** Sends one probe and gives the status of the answer. Rejects when there is none. To end when `signal` aborts. */
export type Probe = (
  request: ProbeRequest,
  target: { readonly cluster: ClusterState; readonly destination: DestinationState },
  signal: AbortSignal,
) => Promise<{ readonly status: number }>;

export interface ProbesOptions {
  readonly probe: Probe;
  readonly clock: Clock;
  /** Makes the requests. Default `probeRequest`. */
  readonly request?: ProbeRequestFactory | undefined;
  /** Told of each probe that ended. Must not throw. */
  readonly onProbe?: ((cluster: ClusterState, destination: DestinationState, probe: ProbeRecord) => void) | undefined;
}

/** Probes of single destinations: one at a time for each, within its time. */
export class Probes {
  readonly #options: ProbesOptions;
  readonly #clock: Clock;
  readonly #probing = new Map<DestinationState, AbortController>();

  constructor(options: ProbesOptions) {
    this.#options = options;
    this.#clock = options.clock;
  }

  /** Within `timeout` milliseconds. Undefined when it was called off, or is under way already. */
  async one(cluster: ClusterState, destination: DestinationState, timeout: number): Promise<ProbeResult | undefined> {
    const before = this.#probing.get(destination);
    if (before !== undefined) {
      // One within its time has its result to come.
      if (!before.signal.aborted) return undefined;
      return { destination, status: undefined, error: new Error("the probe before this one has not ended") };
    }
    const controller = new AbortController();
    const { signal } = controller;
    const at = this.#clock.date();
    const began = this.#clock.now();
    const disarm = this.#clock.after(timeout, () => controller.abort(new ProbeTimeout(timeout)));
    this.#probing.set(destination, controller);
    const sent = this.#send(cluster, destination, signal);
    const ended = sent.finally(() => this.#probing.delete(destination));
    let result: ProbeResult;
    try {
      const { status } = await orAborted(ended, signal);
      result = { destination, status, error: undefined };
    } catch (cause) {
      if (signal.aborted && !(signal.reason instanceof ProbeTimeout)) return undefined;
      result = { destination, status: undefined, error: cause instanceof Error ? cause : new Error(String(cause)) };
    } finally {
      disarm();
    }
    const { status, error } = result;
    const record: ProbeRecord = { at, duration: this.#clock.now() - began, status, error: error?.message };
    destination.healthLog.addProbe(record);
    this.#options.onProbe?.(cluster, destination, record);
    return result;
  }

  async #send(cluster: ClusterState, destination: DestinationState, signal: AbortSignal): Promise<{ status: number }> {
    const make = this.#options.request ?? probeRequest;
    const request = await make(cluster.model.config, destination.model.config);
    return this.#options.probe(request, { cluster, destination }, signal);
  }

  /** Calls all off that are under way. */
  stop(): void {
    for (const controller of this.#probing.values()) controller.abort(new Error("the health monitor was stopped"));
  }
}

class ProbeTimeout extends Error {
  constructor(milliseconds: number) {
    super(`no answer within ${milliseconds} ms`);
  }
}

/** As `promise`, or rejected as soon as `signal` aborts; `promise` has a sink then. */
function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
    promise.then(resolve, reject);
  });
}
