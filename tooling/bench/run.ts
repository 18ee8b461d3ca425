/**
 * Measures CPU time per request of each proxy, in a fresh process per proxy, shape and round, the order turned round
 * each round. The proxy has one core; load generator and destination share the other.
 *
 *   pnpm bench [--shapes a,b] [--proxies a,b] [--rounds 3] [--seconds 4] [--warm-up 2] [--no-build] [--no-report]
 */
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { openIdle, runLoad } from "./load.ts";
import { startOrigin } from "./origin.ts";
import { accepts, cpuTime, freePort, memory } from "./processes.ts";
import { type Proxy, proxies } from "./proxies.ts";
import { type Measurement, tables } from "./report.ts";
import { type Shape, shapes } from "./shapes.ts";

const { values: options } = parseArgs({
  options: {
    shapes: { type: "string" },
    proxies: { type: "string" },
    rounds: { type: "string", default: "3" },
    seconds: { type: "string", default: "4" },
    "warm-up": { type: "string", default: "2" },
    "no-report": { type: "boolean", default: false },
    "no-build": { type: "boolean", default: false },
  },
});
const root = fileURLToPath(new URL("../..", import.meta.url));
const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** Connections opened after the measurement, to see what an idle one costs. */
const furtherIdle = 4000;

const proxyCore = 0;
const otherCore = 1;

prepare();
const folder = mkdtempSync(join(tmpdir(), "proxy-bench-"));
// nginx reads its files as another user.
chmodSync(folder, 0o755);
const chosenShapes = choose(shapes, options.shapes);
const chosenProxies = choose(proxies, options.proxies);
const measurements: Measurement[] = [];
// Only a whole run is published; the raw values of any run are kept as they come.
const isWhole = options.shapes === undefined && options.proxies === undefined && Number(options.rounds) >= 3;
const publish = isWhole && !options["no-report"];
const rawFile = publish ? join(root, "docs/benchmarks.json") : join(tmpdir(), "proxy-bench-raw.json");
const origin = await startOrigin(join(folder, "origin"), otherCore);
try {
  for (const shape of chosenShapes) {
    for (let round = 0; round < Number(options.rounds); round++) {
      const order = round % 2 === 0 ? chosenProxies : [...chosenProxies].reverse();
      for (const proxy of order) {
        if (proxy.supports?.(shape) === false) continue;
        const m = await measure(shape, proxy, round);
        measurements.push(m);
        writeFileSync(rawFile, `${JSON.stringify(measurements, undefined, 1)}\n`);
        say(
          `${shape.name} ${round + 1} ${proxy.name}: ${(m.user + m.system).toFixed(1)} µs, ` +
            `${m.requestsPerSecond.toFixed(0)}/s, p99 ${m.p99.toFixed(1)} ms, ${(m.peakRss / 1024).toFixed(0)} MB` +
            `${m.rssPerIdleConnection === undefined ? "" : `, ${m.rssPerIdleConnection.toFixed(1)} KB per idle connection`}` +
            `${m.errors > 0 ? `, ${m.errors} ERRORS` : ""}`,
        );
      }
    }
  }
} finally {
  await origin.running.stop();
  rmSync(folder, { recursive: true, force: true });
}
say(tables(chosenShapes, chosenProxies, measurements));
say(`raw values: ${rawFile}`);
if (publish) writeReport();

async function measure(shape: Shape, proxy: Proxy, round: number): Promise<Measurement> {
  const port = await freePort();
  const work = join(folder, proxy.name.replaceAll("/", "-"));
  mkdirSync(work, { recursive: true });
  const running = proxy.start({ folder: work, core: proxyCore, port, originPort: origin.port, shape });
  try {
    await accepts(port);
    await runLoad(shape, port, Number(options["warm-up"]), folder, otherCore);
    // Workers may start after the port is open: their ids are read when they have served.
    const pids = running.pids();
    let rssPerIdleConnection: number | undefined;
    let idle: { close(): void } | undefined;
    if (shape.idleConnections !== undefined) idle = await openIdle(shape.idleConnections, port);
    const before = cpuTime(pids);
    const load = await runLoad(shape, port, Number(options.seconds), folder, otherCore);
    const after = cpuTime(pids);
    const { peak: peakRss, now } = memory(pids);
    if (idle !== undefined) {
      // What the heap has grown to under load would hide a thousand connections; further ones show.
      const further = await openIdle(furtherIdle, port);
      rssPerIdleConnection = Math.max(0, memory(pids).now - now) / furtherIdle;
      further.close();
      idle.close();
    }
    if (load.requests === 0) throw new Error(`${proxy.name} answered no request of ${shape.name}`);
    if (after.user + after.system === before.user + before.system) throw new Error(`${proxy.name}: no CPU time was seen`);
    return {
      shape: shape.name,
      proxy: proxy.name,
      round,
      user: (after.user - before.user) / load.requests,
      system: (after.system - before.system) / load.requests,
      requests: load.requests,
      requestsPerSecond: load.requestsPerSecond,
      p50: load.p50,
      p99: load.p99,
      peakRss,
      rssPerIdleConnection,
      errors: load.errors,
    };
  } finally {
    await running.stop();
  }
}

function choose<T extends { readonly name: string }>(all: readonly T[], names: string | undefined): readonly T[] {
  if (names === undefined) return all;
  return names.split(",").map((name) => {
    const found = all.find((item) => item.name === name);
    if (found === undefined) throw new Error(`unknown: ${name}; known: ${all.map((item) => item.name).join(", ")}`);
    return found;
  });
}

function prepare(): void {
  const needed = ["/usr/sbin/nginx", "/usr/sbin/haproxy", "/usr/bin/wrk"].filter((file) => !existsSync(file));
  if (needed.length > 0) {
    process.stderr.write(`missing: ${needed.join(", ")} (apt-get install nginx-light haproxy wrk)\n`);
    process.exit(2);
  }
  const commands = [
    ["pnpm", "--dir", join(root, "tooling/bench"), "install", "--frozen-lockfile", "--ignore-workspace"],
  ];
  if (!options["no-build"]) commands.push(["pnpm", "--dir", root, "run", "build"]);
  for (const command of commands) {
    const result = spawnSync("npx", ["--yes", "pnpm@12.21.0", ...command.slice(1)], { stdio: "inherit" });
    if (result.status !== 0) process.exit(result.status ?? 1);
  }
}

function recorded(file: string): string {
  const path = join(root, file);
  return existsSync(path) ? readFileSync(path, "utf8").trim() : "not measured";
}

function routing(): string {
  const script = join(root, "packages/pipeline/bench/routing.ts");
  const { stdout } = spawnSync(process.execPath, ["--conditions=@proxy/source", script], { encoding: "utf8" });
  return stdout.trimEnd().replaceAll(/^/gm, "    ");
}

function writeReport(): void {
  const model = cpus()[0]?.model ?? "unknown processor";
  const text = `# Benchmarks

Written by \`pnpm bench\` (\`${process.argv.slice(2).join(" ") || "no options"}\`) on ${new Date().toISOString().slice(0, 10)}.

**Read the ratios.** CPU time of the proxy's processes per request (user and system, from the kernel's counters)
divided by nginx's in the same round; the figure in a cell is the median of ${options.rounds} rounds, and all rounds stand in the last
column. Requests per second and latencies are what this load generator saw on this machine: they move with whatever else
it does, and say little.

Method: each proxy in a fresh process, one worker, on one core; load (wrk, one thread) and destination (nginx, answers from memory)
share the other. ${options["warm-up"]} s of warm-up, then ${options.seconds} s measured. The order is reversed each round. All proxies set X-Forwarded-For, -Proto
and -Host where they can, and keep connections to the destination. The gateway runs built, with its full default pipeline;
\`gateway-node\` is the same with the \`node:http\` adapter as its server. A proxy is missing where it
has no route table. Memory per idle connection is what ${furtherIdle} further connections added after the load. Errors are answers
that were not 2xx and broken connections (@fastify/http-proxy answers requests that carry \`Connection: close\` with an error).

Machine: ${model}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB. Versions: ${chosenProxies.map((p) => `${p.name} (${p.version()})`).join(", ")}.

## Results
${tables(chosenShapes, chosenProxies, measurements)}
## Memory under slow peers

\`tooling/bench/memory.ts --record\`: a download to a slow reader and an upload to a slow destination at the same time.

    ${recorded("docs/benchmarks-memory.txt")}

## Routing

\`packages/pipeline/bench/routing.ts\`: CPU per match, and the time to compile, for 10 to 10,000 routes of several kinds. Rules that
are told apart by exact values are looked up; routes of one and the same path that differ in prefixes or expressions only are
tried one after the other.

${routing()}

## Raw values

\`benchmarks.json\` beside this page holds every measurement.
`;
  writeFileSync(join(root, "docs/benchmarks.md"), text);
}
