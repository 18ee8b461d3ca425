/**
 * Bounds how many requests of a cluster are under way, together and at each destination, and how many may wait for that. One
 * belongs to each cluster that has, or once had, limits; it outlives reloads.
 *
 * 1. `tryEnter` takes a slot of the cluster and one of the destination, both or none.
 * 2. Who gets none may wait, in order of arrival, for as long as `PendingTimeout` says: `wait`.
 * 3. `leave` gives slots back, exactly once for each that was taken, and lets in who can use them. So whoever waits cannot be
 *    let in at that moment, and who comes later overtakes nobody by taking what is free.
 */
import type { CircuitBreakerConfig } from "@proxy/config";
import type { ClusterState } from "../cluster-state.ts";
import type { DestinationState } from "../destination-state.ts";
import { thawed } from "../load-balancing/list-cache.ts";

/** How the wait for a slot ended: with slots that are taken, or after too long. */
export type WaitEnd = DestinationState | undefined;

/** Chooses one of those that have room; never called with an empty list. Undefined: none will do, the request goes on waiting. */
export type RoomPicker = (withRoom: readonly DestinationState[]) => DestinationState | undefined;

const none: readonly DestinationState[] = [];

/** One request that waits. */
class Waiter {
  /** Where it may go; undefined is whatever is available when its turn comes. */
  readonly candidates: readonly DestinationState[] | undefined;
  readonly pick: RoomPicker;
  readonly end: (end: WaitEnd) => void;
  readonly deadline: number;

  constructor(candidates: Waiter["candidates"], pick: RoomPicker, end: Waiter["end"], deadline: number) {
    this.candidates = candidates;
    this.pick = pick;
    this.end = end;
    this.deadline = deadline;
  }
}

export interface WaitRequest {
  /** Where the request may go. The very list that is available now stands for what will be available later. */
  readonly candidates: readonly DestinationState[];
  readonly pick: RoomPicker;
  /** Called once, later: with the destination, whose slots are then taken, or with undefined when the wait took too long. */
  readonly end: (end: WaitEnd) => void;
}

/** The limits of one cluster. Without limits everybody enters. */
export class ConcurrencyLimiter {
  /** Requests let through and not over. */
  active = 0;
  /** Requests that were refused since the start: no place to wait, or waited too long. */
  refused = 0;
  readonly #cluster: ClusterState;
  readonly #waiting = new Set<Waiter>();
  /** Destinations that have no room. */
  readonly #full = new Set<DestinationState>();
  /** The list that last proved to have no room anywhere. */
  #withoutRoom: readonly DestinationState[] | undefined = undefined;
  #disarm: (() => void) | undefined = undefined;
  #maxRequests = Number.POSITIVE_INFINITY;
  #maxPerDestination = Number.POSITIVE_INFINITY;
  #maxPending = 0;
  #pendingTimeout = 1_000;
  #retryAfter = "1";

  /** Requests that are under way already count: to be given back, each by `leave`, by whoever counts `inFlight` down. */
  constructor(cluster: ClusterState) {
    this.#cluster = cluster;
    this.active = cluster.inFlight;
    for (const each of cluster.destinations.all) each.admitted = each.inFlight;
  }

  /** Requests that wait now. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** What a refused client is told: whole seconds, for Retry-After (RFC 9110, 10.2.3). */
  get retryAfter(): string {
    return this.#retryAfter;
  }

  /** Takes the limits of a configuration: lower ones hold for what comes, higher ones let in who waits. */
  use(limits: CircuitBreakerConfig | undefined): void {
    this.#maxRequests = limits?.maxRequests ?? Number.POSITIVE_INFINITY;
    this.#maxPerDestination = limits?.maxRequestsPerDestination ?? Number.POSITIVE_INFINITY;
    this.#maxPending = limits?.maxPendingRequests ?? 0;
    this.#pendingTimeout = limits?.pendingTimeout ?? 1_000;
    this.#retryAfter = String(Math.max(1, Math.ceil((limits?.retryAfter ?? 1_000) / 1000)));
    this.#full.clear();
    this.#withoutRoom = undefined;
    for (const each of this.#cluster.destinations.all) if (each.admitted >= this.#maxPerDestination) this.#full.add(each);
  }

  /** True when the cluster has all the requests that it may, wherever they are. */
  get isFull(): boolean {
    return this.active >= this.#maxRequests;
  }

  hasRoom(destination: DestinationState): boolean {
    return destination.admitted < this.#maxPerDestination;
  }

  /** `list` without those that are full; `list` itself when none is. */
  withRoom(list: readonly DestinationState[]): readonly DestinationState[] {
    if (this.#full.size === 0) return list;
    // Under overload this is asked for every request: the answer stands until a destination has room again.
    if (list === this.#withoutRoom) return none;
    const found: DestinationState[] = [];
    const all = thawed.get(list);
    for (let i = 0; i < all.length; i++) {
      const each = all[i] as DestinationState;
      if (each.admitted < this.#maxPerDestination) found.push(each);
    }
    if (found.length === 0 && Object.isFrozen(list)) this.#withoutRoom = list;
    return found;
  }

  /** Takes a slot of the cluster and one of `destination`, to be given back by `leave`. False: full, nothing is taken. */
  tryEnter(destination: DestinationState): boolean {
    if (this.active >= this.#maxRequests || destination.admitted >= this.#maxPerDestination) return false;
    this.active++;
    destination.admitted++;
    if (destination.admitted >= this.#maxPerDestination) this.#full.add(destination);
    return true;
  }

  /** Gives back what `tryEnter` or the end of a wait took. */
  leave(destination: DestinationState): void {
    this.active--;
    destination.admitted--;
    if (destination.admitted < this.#maxPerDestination) {
      this.#full.delete(destination);
      this.#withoutRoom = undefined;
    }
    if (this.#waiting.size > 0) this.letIn();
  }

  /** Puts a request in the queue. Gives how to take it out again, or undefined when there is no place. */
  wait({ candidates, pick, end }: WaitRequest): (() => void) | undefined {
    if (this.#waiting.size >= this.#maxPending) {
      this.refused++;
      return undefined;
    }
    const { clock, destinations } = this.#cluster;
    const own = candidates === destinations.available ? undefined : candidates;
    const waiter = new Waiter(own, pick, end, clock.now() + this.#pendingTimeout);
    this.#waiting.add(waiter);
    if (this.#disarm === undefined) this.#arm(this.#pendingTimeout);
    return () => this.#remove(waiter);
  }

  /** Lets in, in order, who can be. Called when slots or destinations come; costs nothing when nobody waits. */
  letIn(): void {
    for (const waiter of this.#waiting) {
      if (this.active >= this.#maxRequests) return;
      const withRoom = this.withRoom(waiter.candidates?.filter(isStillThere) ?? this.#cluster.destinations.available);
      const picked = withRoom.length === 0 ? undefined : pickFor(waiter, withRoom);
      if (picked === undefined || !this.tryEnter(picked)) continue;
      this.#remove(waiter);
      waiter.end(picked);
    }
  }

  #remove(waiter: Waiter): void {
    this.#waiting.delete(waiter);
    if (this.#waiting.size > 0) return;
    this.#disarm?.();
    this.#disarm = undefined;
  }

  /** One timer for all: waiters stand in the order of their deadlines, unless a reload made the time shorter. */
  #arm(delay: number): void {
    this.#disarm = this.#cluster.clock.after(delay, () => this.#expire());
  }

  #expire(): void {
    this.#disarm = undefined;
    const now = this.#cluster.clock.now();
    let next: number | undefined;
    for (const waiter of this.#waiting) {
      if (waiter.deadline > now) {
        next = next === undefined ? waiter.deadline : Math.min(next, waiter.deadline);
        continue;
      }
      this.#waiting.delete(waiter);
      this.refused++;
      waiter.end(undefined);
    }
    if (this.#waiting.size > 0 && this.#disarm === undefined && next !== undefined) this.#arm(Math.max(1, next - now));
  }
}

function pickFor(waiter: Waiter, withRoom: readonly DestinationState[]): DestinationState | undefined {
  try {
    return waiter.pick(withRoom);
  } catch {
    // A policy that throws breaks its contract; who gives a slot back, another request, must not pay for it.
    return withRoom[0];
  }
}

/** One that a reload took away gets nothing new, whoever chose it before. */
function isStillThere({ drain }: DestinationState): boolean {
  return drain?.cause !== "removed";
}
