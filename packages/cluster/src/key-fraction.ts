import { h64Raw } from "./xxhash.ts";

/** A number in [0, 1) that follows from `key` alone, spread evenly over keys: the same in every process. */
export function keyFraction(key: string): number {
  return Number(h64Raw(Buffer.from(key)) >> 11n) / 2 ** 53;
}
