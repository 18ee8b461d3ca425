/**
 * Requests with bodies up to 10 MB, delegated through the test double of HTTP.sys from a gateway to a target that is killed every so many.
 *
 *   node --conditions=@proxy/source apps/gateway/bench/httpsys-load.ts [requests] [kill every] [asan]
 */
import { delegatedLoad } from "../test/system/httpsys/delegated-load.ts";

const [requests = "10000", killEvery = "500", sanitize] = process.argv.slice(2);
const started = performance.now();
const report = await delegatedLoad({
  requests: Number(requests),
  killEvery: Number(killEvery),
  sanitize: sanitize === "asan",
  note: (line) => process.stderr.write(`${line}\n`),
});
process.stdout.write(`${JSON.stringify({ ...report, seconds: Math.round((performance.now() - started) / 1000) }, undefined, 2)}\n`);
