/**
 * Consistent hashing as in Maglev (Eisenbud et al., NSDI 2016, 3.4): each destination has an order of preference over the slots
 * of a table of prime size, and they take slots in turns, as often as their weight says. A look-up reads one slot; when a
 * destination leaves, few slots change hands but its own.
 */
import type { DestinationState } from "../destination-state.ts";
import { h32 } from "../xxhash.ts";

export interface MaglevTable {
  /** Which destination of the list each slot belongs to. */
  readonly slots: Uint16Array;
  /** Sum of the weights of those that have slots. */
  readonly totalWeight: number;
}

/** Primes; a hundred slots and more for each destination keep shares even, as long as there are fewer than 650. */
const sizes = [4_093, 16_381, 65_537];
const slotsPerDestination = 250;

export function maglevTable(unordered: readonly DestinationState[]): MaglevTable {
  // By id: gateways may have their destinations in another order.
  const order = unordered.map((_, index) => index).sort((a, b) => (keyAt(unordered, a) < keyAt(unordered, b) ? -1 : 1));
  const list = order.map((index) => unordered[index] as DestinationState);
  const isLevel = list.every((each) => !(each.weight > 0));
  const weights = list.map((each) => (isLevel ? 1 : each.weight));
  const heaviest = Math.max(...weights);
  const size = sizes.find((each) => each >= list.length * slotsPerDestination) ?? 65_537;
  const slots = new Uint16Array(size);
  const taken = new Uint8Array(size);
  const next = list.map((each) => h32(each.sortKey, 1) % size);
  const skips = list.map((each) => (h32(each.sortKey, 2) % (size - 1)) + 1);
  const turns = new Float64Array(list.length);
  for (let filled = 0; filled < size; ) {
    for (let i = 0; i < list.length && filled < size; i++) {
      turns[i] = (turns[i] as number) + (weights[i] as number) / heaviest;
      if ((turns[i] as number) < 1) continue;
      turns[i] = (turns[i] as number) - 1;
      let slot = next[i] as number;
      const skip = skips[i] as number;
      while (taken[slot] === 1) slot = (slot + skip) % size;
      taken[slot] = 1;
      slots[slot] = order[i] as number;
      next[i] = (slot + skip) % size;
      filled++;
    }
  }
  return { slots, totalWeight: weights.reduce((sum, weight) => sum + weight, 0) };
}

function keyAt(list: readonly DestinationState[], index: number): string {
  return (list[index] as DestinationState).sortKey;
}
