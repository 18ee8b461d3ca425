/** What a load tells the benchmark, as one line of JSON. Times are in milliseconds. */
export function report(latencies, elapsed, errors) {
  latencies.sort((a, b) => a - b);
  const at = (share) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0;
  const requests = latencies.length;
  process.stdout.write(`${JSON.stringify({ requests, requestsPerSecond: (requests * 1000) / elapsed, p50: at(0.5), p99: at(0.99), errors })}\n`);
}
