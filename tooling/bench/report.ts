/** Writes the measurements as Markdown. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import type { Proxy } from "./proxies.ts";
import type { Shape } from "./shapes.ts";
import { furtherIdle } from "./windows.ts";

export interface Measurement {
  readonly shape: string;
  readonly proxy: string;
  readonly round: number;
  /** CPU of the proxy's processes per request, microseconds. */
  readonly user: number;
  readonly system: number;
  /** CPU of nginx per request in the windows before and after this one, on average. */
  readonly nginx: number;
  /** CPU per request while the fresh process warmed up, and over how many requests. */
  readonly warmUpCpu: number;
  readonly warmUpRequests: number;
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly p50: number;
  readonly p99: number;
  /** KiB. */
  readonly peakRss: number;
  /** KiB that each idle connection added. */
  readonly rssPerIdleConnection: number | undefined;
  readonly errors: number;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  if (sorted.length % 2 === 1) return sorted[middle] as number;
  return ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

export const cpu = (m: Measurement): number => m.user + m.system;

/** To nginx beside it: what a noisy minute spoils, it spoils for both. */
const toNginx = (m: Measurement): number => cpu(m) / m.nginx;

/** The ratios to `base`, by way of the nginx beside each, within each round. */
function ratios(all: readonly Measurement[], of: readonly Measurement[], base: string): number[] {
  const found: number[] = [];
  for (const m of of) {
    const other = all.find((o) => o.shape === m.shape && o.proxy === base && o.round === m.round);
    if (other !== undefined) found.push(toNginx(m) / toNginx(other));
  }
  return found;
}

/** What the gateway costs beside the cheapest of Node's other proxies, in words. */
function besidePeers(shape: Shape, all: readonly Measurement[]): string {
  const here = all.filter((m) => m.shape === shape.name);
  const peers = new Set(here.filter((m) => !notPeers.has(m.proxy)).map((m) => m.proxy));
  let least: { readonly name: string; readonly factor: number } | undefined;
  for (const name of peers) {
    const mine = here.filter((m) => m.proxy === name);
    // One that answers with errors does other work.
    if (mine.some((m) => m.errors > 0)) continue;
    const found = ratios(all, mine, "gateway");
    if (found.length === 0) continue;
    const factor = median(found);
    if (least === undefined || factor < least.factor) least = { name, factor };
  }
  if (least === undefined) return "";
  return `\nThe cheapest other Node proxy here, ${least.name}, takes ${least.factor.toFixed(1)} times the gateway's CPU.\n`;
}

const notPeers = new Set(["nginx", "haproxy", "gateway", "gateway-node", "gateway-tokens", "gateway-tokens-kept", "gateway-policies-elsewhere", "gateway-per-request", "gateway-sticky"]);

/** What delegating costs the gateway beside forwarding the same, in words. */
function besideForwarding(shape: Shape, all: readonly Measurement[]): string {
  let text = "";
  for (const [name, mode] of [["gateway-per-request", "perRequest"], ["gateway-sticky", "sticky"]]) {
    const found = ratios(all, all.filter((m) => m.shape === shape.name && m.proxy === name), "gateway");
    if (found.length === 0) continue;
    const each = found.map((ratio) => ratio.toFixed(3)).join(", ");
    text += `\nDelegated in mode \`${mode}\` it costs the gateway ${median(found).toFixed(3)} of what forwarding costs it (${each}).\n`;
  }
  return text;
}

export function tables(shapes: readonly Shape[], proxies: readonly Proxy[], all: readonly Measurement[]): string {
  let text = "";
  for (const shape of shapes) {
    const idle = shape.idleConnections !== undefined;
    text += `\n### ${shape.title}\n\n`;
    text += `| proxy | CPU µs/request | user | system | to nginx | to haproxy | while warming up | requests/s | p50 ms | p99 ms | peak RSS MB |${idle ? " KB per idle connection |" : ""} errors | to nginx, each round |\n`;
    text += `| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |${idle ? " ---: |" : ""} ---: | --- |\n`;
    for (const proxy of proxies) {
      const mine = all.filter((m) => m.shape === shape.name && m.proxy === proxy.name);
      if (mine.length === 0) continue;
      const of = (pick: (m: Measurement) => number): number => median(mine.map(pick));
      const toHaproxy = ratios(all, mine, "haproxy");
      const cells = [
        proxy.name,
        of(cpu).toFixed(1),
        of((m) => m.user).toFixed(1),
        of((m) => m.system).toFixed(1),
        of(toNginx).toFixed(2),
        toHaproxy.length === 0 ? "" : median(toHaproxy).toFixed(2),
        of((m) => m.warmUpCpu).toFixed(1),
        of((m) => m.requestsPerSecond).toFixed(0),
        of((m) => m.p50).toFixed(2),
        of((m) => m.p99).toFixed(2),
        (Math.max(...mine.map((m) => m.peakRss)) / 1024).toFixed(0),
      ];
      if (idle) cells.push(of((m) => m.rssPerIdleConnection ?? 0).toFixed(1));
      cells.push(String(mine.reduce((sum, m) => sum + m.errors, 0)), mine.map((m) => toNginx(m).toFixed(2)).join(", "));
      text += `| ${cells.join(" | ")} |\n`;
    }
    text += besidePeers(shape, all) + besideForwarding(shape, all);
  }
  return text;
}

export interface PageFacts {
  readonly root: string;
  readonly shapes: readonly Shape[];
  readonly proxies: readonly Proxy[];
  readonly measurements: readonly Measurement[];
  readonly rounds: number;
  readonly processes: number;
  readonly seconds: number;
  readonly warmUp: number;
}

/** `docs/benchmarks.md`: method, machine and all tables. */
export function page(facts: PageFacts): string {
  const { root, shapes, proxies, measurements, rounds, processes, seconds, warmUp } = facts;
  const model = cpus()[0]?.model ?? "unknown processor";
  return `# Benchmarks

Written by \`pnpm bench\` (\`${process.argv.slice(2).join(" ") || "no options"}\`) on ${new Date().toISOString().slice(0, 10)}.

**Read the ratios.** CPU time of the proxy's processes per request (user and system, from the kernel's counters)
divided by nginx's in the windows of load right before and right after; the figure in a cell is the median of ${rounds * processes} such
windows, and all their ratios stand in the last column. Requests per second and latencies are what this load generator saw on this machine:
they move with whatever else it does, and say little. Where the time goes, what was tried and what paid:
[performance](performance.md).

Method: for each shape, every proxy in a fresh process${processes === 1 ? "" : ` (${processes} times)`}, one worker, all on the same core, one of them under load at a time;
load (wrk or h2load, one thread; for WebSockets, events and gRPC a program of this benchmark) and destination (nginx, answers from
memory; for WebSockets, events and gRPC a server of this benchmark) share the other. Each is warmed up by ${warmUp} requests
(a twentieth of that where each moves a megabyte), for 2 s at least and 15 s at most; what a request cost meanwhile, with the
compiling, is the column "while warming up". Then windows of ${seconds} s go round among them, the order turned round each time, with one of
nginx between any two. All proxies set X-Forwarded-For, -Proto and -Host, and keep connections to the destination. The gateway runs
built, with its full default pipeline; \`gateway-node\` is the same with the \`node:http\` adapter as its server, and \`node-http2-undici\`
is \`node:http2\` and undici put together by hand; \`gateway-per-request\` and \`gateway-sticky\` hand the connections of clients
over ([delegation](delegation.md)), where the destination is a server of our engine that takes them; \`gateway-tokens\`
checks each token that it passes on, \`gateway-tokens-kept\` those that it has not checked before ([what it costs](policies/authentication.md#what-it-costs)); \`gateway-policies-elsewhere\` has policies of every kind,
on a route that is not asked for. A proxy is missing where it has no route table, and where TLS, HTTP/2, WebSockets or gRPC are
measured that it does not speak or is not set up for here. All Node proxies run with \`--use-largepages=silent\`, which the gateway's README recommends on Linux. Memory per idle connection is what ${furtherIdle} further connections added after the load. Errors are answers
that were not 2xx, replies of gRPC without \`grpc-status: 0\`, and broken connections (@fastify/http-proxy answers requests that carry \`Connection: close\` with an error).

Machine: ${model}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB. Versions: ${proxies.map((p) => `${p.name} (${p.version()})`).join(", ")}.

## Results
${tables(shapes, proxies, measurements)}
## Memory under slow peers

\`tooling/bench/memory.ts --record\`: a download to a slow reader and an upload to a slow destination at the same time.

    ${recorded(join(root, "docs/benchmarks-memory.txt"))}

## Routing

\`packages/pipeline/bench/routing.ts\`: CPU per match, and the time to compile, for 10 to 10,000 routes of several kinds. Rules that
are told apart by exact values are looked up; routes of one and the same path that differ in prefixes or expressions only are
tried one after the other.

${routing(root)}

## Raw values

\`benchmarks.json\` beside this page holds every measurement.
`;
}

function recorded(path: string): string {
  return existsSync(path) ? readFileSync(path, "utf8").trim() : "not measured";
}

function routing(root: string): string {
  const script = join(root, "packages/pipeline/bench/routing.ts");
  const { stdout } = spawnSync(process.execPath, ["--conditions=@proxy/source", script], { encoding: "utf8" });
  return stdout.trimEnd().replaceAll(/^/gm, "    ");
}
