import type { DestinationState } from "../destination-state.ts";

/**
 * Rendezvous hashing by weight (Thaler and Ravishankar 1998; weights after Schindelhauer and Schomaker 2005): each destination draws a
 * number from the key and its id, and the best for its weight wins. Looks at all of them and needs no table. One of weight 0
 * wins only when all are.
 */
export function rendezvous(hash: number, list: readonly DestinationState[]): DestinationState | undefined {
  const isLevel = list.every((each) => !(each.weight > 0));
  let best = list[0];
  let lowest = Number.POSITIVE_INFINITY;
  for (const each of list) {
    const drawn = (mix(hash ^ each.idHash) + 1) / (2 ** 32 + 1);
    const cost = -Math.log(drawn) / (isLevel ? 1 : each.weight);
    if (cost >= lowest) continue;
    best = each;
    lowest = cost;
  }
  return best;
}

/** The finaliser of MurmurHash3: every bit of the input turns half of the output. */
function mix(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x85eb_ca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
