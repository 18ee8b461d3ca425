/** What a decision costs: `node --conditions=@proxy/source packages/edge/bench/rate-limit.ts` from the root. Fresh process, no other work. */
import { memoryRateLimitStore } from "../src/index.ts";

const addresses = Array.from({ length: 100_000 }, (_, i) => `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`);
const rounds = 2_000_000;

for (const algorithm of ["FixedWindow", "SlidingWindow", "TokenBucket"] as const) {
  for (const keys of [1, 1_000, 100_000]) {
    const store = memoryRateLimitStore({ algorithm, permits: 100, window: 60_000 }, { maxKeys: 1_048_576, name: "bench" });
    const run = (count: number): void => {
      for (let i = 0; i < count; i++) void store.take(addresses[(i * 7919) % keys] as string, i / 1000);
    };
    run(300_000);
    const before = process.cpuUsage();
    run(rounds);
    const { user, system } = process.cpuUsage(before);
    process.stdout.write(`${algorithm.padEnd(14)} ${String(keys).padStart(7)} keys: ${(((user + system) * 1000) / rounds).toFixed(0)} ns of CPU for each decision\n`);
  }
}
