/**
 * Counts by key in flat arrays: 24 bytes for each place, no object per key, so that millions of keys are nothing to the garbage collector. Places
 * stand in sets of eight; a key has its set by one half of its hash. The table grows to its bound and no further. A full set gives up what has
 * expired, otherwise the place that has counted least: a flood of new keys pushes out its like, and not those who are near their limit.
 */
import { KeyedHash } from "./keyed-hash.ts";

const ways = 8;
const smallest = 1024;

/** What a place means, which its algorithm knows. */
export interface PlaceMeaning {
  /** Nothing is lost when it is forgotten. */
  isExpired(table: CountTable, place: number, now: number): boolean;
  /** How much would be lost; the least goes first. */
  weight(table: CountTable, place: number): number;
}

export class CountTable {
  /** A moment, by place: internal to the algorithms. */
  time: Float64Array = new Float64Array(smallest);
  count: Uint32Array = new Uint32Array(smallest);
  previous: Uint32Array = new Uint32Array(smallest);
  #high = new Uint32Array(smallest);
  #low = new Uint32Array(smallest);
  #used = 0;
  readonly #most: number;
  readonly #meaning: PlaceMeaning;
  readonly #hash: KeyedHash;

  constructor(maxKeys: number, meaning: PlaceMeaning, hash = new KeyedHash()) {
    this.#most = 2 ** Math.floor(Math.log2(Math.max(maxKeys, smallest)));
    this.#meaning = meaning;
    this.#hash = hash;
  }

  /** Places there are now; never more than asked for. */
  get capacity(): number {
    return this.#low.length;
  }

  /** The place of `key`; one that is new to the table has `time`, `count` and `previous` 0. */
  placeOf(key: string, now: number): number {
    const hash = this.#hash;
    hash.update(key);
    const { high, low } = hash;
    const first = this.#setOf(high);
    let free = -1;
    for (let place = first; place < first + ways; place++) {
      const there = this.#low[place] as number;
      if (there === low && this.#high[place] === high) return place;
      if (there === 0 && free < 0) free = place;
    }
    if (free < 0) {
      free = this.#expired(first, now);
      if (free < 0 && this.#canGrow()) {
        this.#grow(now);
        return this.placeOf(key, now);
      }
      if (free < 0) free = this.#lightest(first);
    } else this.#used++;
    this.#low[free] = low;
    this.#high[free] = high;
    this.time[free] = 0;
    this.count[free] = 0;
    this.previous[free] = 0;
    return free;
  }

  #setOf(high: number): number {
    return (high & (this.#low.length / ways - 1)) * ways;
  }

  #expired(first: number, now: number): number {
    for (let place = first; place < first + ways; place++) if (this.#meaning.isExpired(this, place, now)) return place;
    return -1;
  }

  #lightest(first: number): number {
    let lightest = first;
    let least = Number.POSITIVE_INFINITY;
    for (let place = first; place < first + ways; place++) {
      const weight = this.#meaning.weight(this, place);
      if (weight >= least) continue;
      least = weight;
      lightest = place;
    }
    return lightest;
  }

  /** Sets differ in how full they are: one may be full while most of the table is free. */
  #canGrow(): boolean {
    return this.#low.length < this.#most && this.#used > this.#low.length / 4;
  }

  #grow(now: number): void {
    const { time, count, previous } = this;
    const [high, low] = [this.#high, this.#low];
    const capacity = low.length * 2;
    const before = new CountTable(0, this.#meaning, this.#hash);
    before.time = time;
    before.count = count;
    before.previous = previous;
    this.#high = new Uint32Array(capacity);
    this.#low = new Uint32Array(capacity);
    this.time = new Float64Array(capacity);
    this.count = new Uint32Array(capacity);
    this.previous = new Uint32Array(capacity);
    this.#used = 0;
    for (let from = 0; from < low.length; from++) {
      if (low[from] === 0 || this.#meaning.isExpired(before, from, now)) continue;
      let place = this.#setOf(high[from] as number);
      // The keys of one set go to two: there is always room.
      while (this.#low[place] !== 0) place++;
      this.#low[place] = low[from] as number;
      this.#high[place] = high[from] as number;
      this.time[place] = time[from] as number;
      this.count[place] = count[from] as number;
      this.previous[place] = previous[from] as number;
      this.#used++;
    }
  }
}
