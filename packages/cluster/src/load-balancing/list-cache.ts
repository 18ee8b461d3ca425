import type { DestinationState } from "../destination-state.ts";

/**
 * Keeps what follows from a list of destinations for as long as the list lives. Of lists that may still change nothing is
 * kept: those of a cluster are frozen, and replaced when health or configuration changes.
 */
export class ListCache<T> {
  readonly #compute: (list: readonly DestinationState[]) => T;
  readonly #values = new WeakMap<readonly DestinationState[], { readonly value: T }>();

  constructor(compute: (list: readonly DestinationState[]) => T) {
    this.#compute = compute;
  }

  get(list: readonly DestinationState[]): T {
    const kept = this.#values.get(list);
    if (kept !== undefined) return kept.value;
    const value = this.#compute(list);
    if (Object.isFrozen(list)) this.#values.set(list, { value });
    return value;
  }
}

/** V8 reads the elements of frozen arrays many times slower than those of others: a copy for those who look at all of them. */
export const thawed = new ListCache((list) => (Object.isFrozen(list) ? [...list] : list));
