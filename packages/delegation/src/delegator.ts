/**
 * What a proxy is given so that it delegates: knows by its clusters which destination goes where, and hands requests over.
 *
 * A hand-over: attach if that is due; give the request away; when the target had gone or the handle was closed meanwhile, once more. Whatever
 * fails, the request is still the caller's.
 */
import type { ClusterChangeListener, ClusterState, DestinationState } from "@proxy/cluster";
import type { Exchange } from "@proxy/http";
import { NotDelegableError, type DelegationCarrier, type DelegationTarget } from "./carrier.ts";
import { wantedTarget, type DelegatingDestination } from "./destination-target.ts";
import { asDelegationError, type DelegationError } from "./errors.ts";
import { DelegationRegistry, type Rule, type RuleView } from "./registry/registry.ts";
import type { QueueClock, QueueEvent } from "./registry/queue.ts";

export interface DelegatorOptions {
  /** The ways there are here. */
  readonly carriers: readonly DelegationCarrier[];
  /** Why there is none of a kind, for whoever asks for it. */
  readonly missing?: Partial<Readonly<Record<DelegationCarrier["kind"], string>>> | undefined;
  readonly onEvent?: ((event: QueueEvent | HandOverEvent) => void) | undefined;
  /** Told each rule that is made. */
  readonly onRule?: ((queueName: string, urlPrefix: string) => void) | undefined;
  readonly clock?: QueueClock | undefined;
}

/** What became of one request. With `hand-over-failed` the gateway answers it itself; with `hand-over-retried` it is given away once more. */
export interface HandOverEvent {
  readonly type: "delegated" | "hand-over-failed" | "hand-over-retried";
  readonly queueName: string;
  readonly destination: string;
  readonly error?: DelegationError | undefined;
}

/** Requests of one destination, since it delegates. */
export interface DelegationCounts {
  readonly delegated: number;
  readonly failed: number;
  readonly retried: number;
}

/**
 * Why a request was not handed over. `not-found`: the destination has no queue. `not-attached`: its queue could not be opened.
 * `failed`: giving it away failed. `impossible`: the request cannot be given away, which is the caller's mistake.
 */
export interface HandOverFailure {
  readonly reason: "not-found" | "not-attached" | "failed" | "impossible";
  readonly error: Error;
}

interface Counts {
  delegated: number;
  failed: number;
  retried: number;
}

interface Binding {
  readonly rule: Rule;
  readonly target: DelegationTarget;
  readonly counts: Counts;
}

type Done = (failure: HandOverFailure | undefined) => void;

/** Listens to the clusters of a proxy, and gives requests to those of their destinations that are processes. `close` ends all ways. */
export class Delegator implements ClusterChangeListener {
  readonly registry: DelegationRegistry;
  readonly #carriers: ReadonlyMap<string, DelegationCarrier>;
  readonly #missing: DelegatorOptions["missing"];
  readonly #onEvent: (event: QueueEvent | HandOverEvent) => void;
  readonly #bindings = new Map<DestinationState, Binding>();

  constructor(options: DelegatorOptions) {
    this.#carriers = new Map(options.carriers.map((carrier) => [carrier.kind, carrier]));
    this.#missing = options.missing;
    this.#onEvent = options.onEvent ?? (() => undefined);
    this.registry = new DelegationRegistry({ clock: options.clock, onEvent: this.#onEvent, onRule: options.onRule });
  }

  // -- What the clusters tell

  added(cluster: ClusterState): void {
    this.changed(cluster);
  }

  changed(cluster: ClusterState): void {
    for (const destination of cluster.destinations.all) this.#bind(destination);
  }

  removed(cluster: ClusterState): void {
    for (const destination of cluster.destinations.all) this.#unbind(destination);
  }

  destinationRemoved(_cluster: ClusterState, destination: DestinationState): void {
    this.#unbind(destination);
  }

  // -- What the proxy asks

  /** What is wrong with what a destination asks for, as the end of a sentence about it; undefined when it can be had or is not asked for. */
  fault(destination: DelegatingDestination): string | undefined {
    const wanted = wantedTarget(destination);
    if (wanted === undefined) return undefined;
    if (wanted.fault !== undefined) return wanted.fault;
    const carrier = this.#carriers.get(wanted.carrier);
    if (carrier === undefined) return `asks for delegation that cannot be had: ${this.#missing?.[wanted.carrier] ?? "there is no carrier for it"}`;
    return carrier.nameFault(wanted.queueName);
  }

  /** Whether requests to `destination` are handed over instead of forwarded. */
  delegates(destination: DestinationState): boolean {
    return wantedTarget(destination.model.config) !== undefined;
  }

  /** How many requests of `destination` were handed over; undefined when it does not delegate. */
  counts(destination: DestinationState): DelegationCounts | undefined {
    return this.#bindings.get(destination)?.counts;
  }

  get rules(): readonly RuleView[] {
    return this.registry.rules;
  }

  /** See `DelegationRegistry.resetQueue`. */
  resetQueue(queueName: string, urlPrefix?: string): boolean {
    return this.registry.resetQueue(queueName, urlPrefix);
  }

  /** Hands the request over; `done` is called once, perhaps before this returns. */
  delegate(exchange: Exchange, destination: DestinationState, done: Done): void {
    const binding = this.#bindings.get(destination);
    if (binding === undefined) {
      done({ reason: "not-found", error: new Error(`the destination '${destination.id}' has no queue`) });
      return;
    }
    const { rule, counts } = binding;
    this.registry.handingOver(rule);
    this.#attempt(exchange, binding, destination, true, (failure) => {
      if (failure === undefined) {
        counts.delegated++;
        this.#onEvent({ type: "delegated", queueName: rule.queue.name, destination: destination.id });
      } else {
        counts.failed++;
        const error = asDelegationError(failure.error);
        this.#onEvent({ type: "hand-over-failed", queueName: rule.queue.name, destination: destination.id, error });
      }
      this.registry.handedOver(rule);
      done(failure);
    });
  }

  close(): void {
    this.#bindings.clear();
    this.registry.close();
  }

  #attempt(exchange: Exchange, binding: Binding, destination: DestinationState, mayRetry: boolean, done: Done): void {
    const { queue } = binding.rule;
    queue.acquire((handle, attachError) => {
      if (handle === undefined) {
        done({ reason: "not-attached", error: attachError ?? new Error(`the queue '${queue.name}' is not attached`) });
        return;
      }
      const ended = (error: DelegationError | undefined): void => {
        if (error === undefined) return done(undefined);
        const isStale = error.code === "GONE" || error.code === "DISPOSED";
        if (isStale) queue.detach(handle, error);
        if (!isStale || !mayRetry || error.mayBeShared) return done({ reason: "failed", error });
        binding.counts.retried++;
        this.#onEvent({ type: "hand-over-retried", queueName: queue.name, destination: destination.id, error });
        this.#attempt(exchange, binding, destination, false, done);
      };
      try {
        handle.delegate(exchange, binding.target, ended);
      } catch (error) {
        if (error instanceof NotDelegableError) done({ reason: "impossible", error });
        else ended(asDelegationError(error));
      }
    });
  }

  #bind(destination: DestinationState): void {
    const wanted = wantedTarget(destination.model.config);
    const carrier = wanted === undefined || wanted.fault !== undefined ? undefined : this.#carriers.get(wanted.carrier);
    if (wanted === undefined || carrier === undefined) {
      this.#unbind(destination);
      return;
    }
    const before = this.#bindings.get(destination);
    // The new one first: a queue that stays is not closed in between.
    const rule = this.registry.hold(carrier, wanted.queueName, wanted.urlPrefix);
    const target = { queueName: wanted.queueName, urlPrefix: rule.urlPrefix, mode: wanted.mode };
    this.#bindings.set(destination, { rule, target, counts: before?.counts ?? { delegated: 0, failed: 0, retried: 0 } });
    if (before !== undefined) this.registry.letGo(before.rule);
  }

  #unbind(destination: DestinationState): void {
    const binding = this.#bindings.get(destination);
    if (binding === undefined) return;
    this.#bindings.delete(destination);
    this.registry.letGo(binding.rule);
  }
}
