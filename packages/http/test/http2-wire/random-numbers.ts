/** Whole numbers from 0 to below the argument. */
export type Random = (below: number) => number;

/** The same numbers for the same seed, so that a failure comes again. */
export function randomNumbers(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return Math.floor(((state >>> 8) / 0x1000000) * below);
  };
}
