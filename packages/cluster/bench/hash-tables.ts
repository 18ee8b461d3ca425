/**
 * Maglev tables beside a hash ring: what building and looking up cost, how even shares are, how many keys move. Shares are
 * exact (slots, arcs), not sampled; moves are the mean over several destinations that leave, of 100,000 keys.
 *
 *     node --conditions=@proxy/source packages/cluster/bench/hash-tables.ts
 */
import { DestinationState } from "../src/destination-state.ts";
import { maglevTable } from "../src/load-balancing/maglev-table.ts";
import { h32 } from "../src/xxhash.ts";

interface Method {
  /** Gives the look-up and the share of each destination. */
  build(list: readonly DestinationState[]): { find(hash: number): DestinationState; shares: number[] };
}

const maglev: Method = {
  build(list) {
    const { slots } = maglevTable(list);
    const shares = list.map(() => 0);
    for (const slot of slots) shares[slot] = (shares[slot] as number) + 1 / slots.length;
    return { shares, find: (hash) => list[slots[hash % slots.length] as number] as DestinationState };
  },
};

const pointsEach = 160;
const ring: Method = {
  build(list) {
    const points = list.flatMap((each, index) =>
      Array.from({ length: pointsEach }, (_, i) => [h32(`${each.sortKey}#${i}`) >>> 0, index] as const),
    );
    points.sort(([a], [b]) => a - b);
    const at = Uint32Array.from(points, ([hash]) => hash);
    const owner = Uint16Array.from(points, ([, index]) => index);
    const shares = list.map(() => 0);
    at.forEach((hash, i) => {
      const arc = i === 0 ? hash + 2 ** 32 - (at.at(-1) as number) : hash - (at[i - 1] as number);
      shares[owner[i] as number] = (shares[owner[i] as number] as number) + arc / 2 ** 32;
    });
    const find = (hash: number): DestinationState => {
      let low = 0;
      let high = at.length;
      while (low < high) {
        const middle = (low + high) >>> 1;
        if ((at[middle] as number) < hash) low = middle + 1;
        else high = middle;
      }
      return list[owner[low === at.length ? 0 : low] as number] as DestinationState;
    };
    return { shares, find };
  },
};

const keys = Array.from({ length: 100_000 }, (_, i) => h32(`key-${i}`) >>> 0);
const cpuMs = (run: () => void): number => {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
};

for (const count of [10, 50, 200, 1_000]) {
  for (const [name, method] of Object.entries({ maglev, ring })) {
    const list = Array.from({ length: count }, (_, i) => new DestinationState(`d${i}`, { config: { address: "http://d/" } }));
    for (let i = 0; i < 2; i++) method.build(list);
    const build = cpuMs(() => void method.build(list));
    const { find, shares } = method.build(list);
    const before = keys.map(find);
    const lookUp = cpuMs(() => {
      for (let round = 0; round < 10; round++) for (const key of keys) find(key);
    });
    const leaving = [0, 1, 2, 5, 9].map((index) => {
      const after = method.build(list.toSpliced(index, 1));
      return keys.filter((key, i) => after.find(key) !== before[i]).length / keys.length;
    });
    const moved = leaving.reduce((sum, each) => sum + each, 0) / leaving.length;
    process.stdout.write(
      `${name.padEnd(7)} ${String(count).padStart(5)}  build ${build.toFixed(1)} ms  look-up ${lookUp.toFixed(0)} ns  ` +
        `share ${(Math.min(...shares) * count).toFixed(2)} to ${(Math.max(...shares) * count).toFixed(2)} of the mean  ` +
        `moved ${(moved * 100).toFixed(2)} % (1/n: ${(100 / count).toFixed(2)} %)\n`,
    );
  }
}
