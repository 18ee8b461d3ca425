/** A whole number in [0, `bound`), each as likely as the others; `bound` is at least 1. Injected by tests. */
export type RandomSource = (bound: number) => number;

/** `Math.random`: balancing needs an even spread, not secrecy. */
export const systemRandom: RandomSource = (bound) => Math.floor(Math.random() * bound);

const resolution = 2 ** 30;

/** A number in [0, 1). */
export function fractionOf(source: RandomSource): number {
  return source(resolution) / resolution;
}
