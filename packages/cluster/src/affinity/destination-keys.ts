import type { DestinationState } from "../destination-state.ts";
import { noDestinations, noMatch, type AffinityResult } from "./policy.ts";

/**
 * The keys of destinations, and their destinations by key. Keys are computed once per destination, the index once per list:
 * lists of available destinations are replaced when health changes, not changed.
 */
export class DestinationKeys {
  readonly #keyFor: (id: string) => string;
  readonly #keys = new WeakMap<DestinationState, string>();
  readonly #indexes = new WeakMap<readonly DestinationState[], ReadonlyMap<string, AffinityResult>>();

  /** `keyFor` gives the key of a destination's id. */
  constructor(keyFor: (id: string) => string) {
    this.#keyFor = keyFor;
  }

  of(destination: DestinationState): string {
    let key = this.#keys.get(destination);
    if (key === undefined) this.#keys.set(destination, (key = this.#keyFor(destination.id)));
    return key;
  }

  /** Compares exactly. */
  find(key: string, available: readonly DestinationState[]): AffinityResult {
    if (available.length === 0) return noDestinations;
    let index = this.#indexes.get(available);
    if (index === undefined) this.#indexes.set(available, (index = this.#index(available)));
    return index.get(key) ?? noMatch;
  }

  #index(available: readonly DestinationState[]): ReadonlyMap<string, AffinityResult> {
    const index = new Map<string, AffinityResult>();
    for (const each of available) {
      const key = this.of(each);
      if (!index.has(key)) index.set(key, { status: "OK", destinations: [each] });
    }
    return index;
  }
}
