/**
 * Memory under ten million distinct addresses: `timeout 120 node --conditions=@proxy/source --expose-gc packages/edge/bench/rate-limit-memory.ts` from the root.
 * With an argument, so many partitions are counted at a time instead of the default.
 */
import { memoryRateLimitStore } from "../src/index.ts";

const maxKeys = Number(process.argv[2] ?? 1_048_576);
const collect = (globalThis as { gc?: () => void }).gc;
const store = memoryRateLimitStore({ algorithm: "FixedWindow", permits: 100, window: 3_600_000 }, { maxKeys, name: "bench" });
collect?.();
const before = process.memoryUsage();
let peak = 0;
for (let i = 0; i < 10_000_000; i++) {
  void store.take(`${(i >>> 24) & 255}.${(i >>> 16) & 255}.${(i >>> 8) & 255}.${i & 255}`, i / 1000);
  if (i % 100_000 === 0) peak = Math.max(peak, process.memoryUsage().rss);
}
collect?.();
const after = process.memoryUsage();
// Still in use: it must not have been collected.
void store.take("192.0.2.1", 10_000);
const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(0);
process.stdout.write(`10 000 000 addresses, ${maxKeys} partitions: tables ${megabytes(after.arrayBuffers - before.arrayBuffers)} MB, process ${megabytes(before.rss)} MB before, ${megabytes(peak)} MB at most, ${megabytes(after.rss)} MB after\n`);
