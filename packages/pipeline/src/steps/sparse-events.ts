import type { Clock, ClusterState } from "@proxy/cluster";

const period = 1000;

/** Says which events of a cluster are to be told: one a second, with how many there were. What a failure brings must not make it worse. */
export class SparseEvents {
  readonly #clock: Clock;
  readonly #told = new WeakMap<ClusterState, { at: number; count: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many there were since the last one that was told, this one included; 0: it is not to be told. */
  due(cluster: ClusterState): number {
    const now = this.#clock.now();
    let last = this.#told.get(cluster);
    if (last === undefined) this.#told.set(cluster, (last = { at: Number.NEGATIVE_INFINITY, count: 0 }));
    last.count++;
    if (now - last.at < period) return 0;
    const { count } = last;
    last.at = now;
    last.count = 0;
    return count;
  }
}
