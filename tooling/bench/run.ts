/**
 * Measures CPU time per request of each proxy beside nginx. For each shape all proxies are started, each in a fresh
 * process, and warmed up alike; then short windows of load go round among them, with one of nginx before and after each, the
 * order turned round each time. The proxy under load has one core; load generator and destination share the other.
 *
 *   pnpm bench [--shapes a,b] [--proxies a,b] [--rounds 2] [--processes 2] [--seconds 1] [--warm-up 60000] [--no-build] [--no-report] [--raw FILE]
 *
 * `--rounds` windows of `--seconds` per proxy and process, of which there are `--processes`, one after the other: what V8 makes
 * of the same code differs from one to the next. With the defaults it takes 20 to 30 minutes, with
 * `--processes 1 --rounds 3 --warm-up 20000` some 15: the fewest rounds that are published.
 */
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { startDestination } from "./destination.ts";
import { startOrigin } from "./origin.ts";
import { memory } from "./processes.ts";
import { type Proxy, proxies } from "./proxies.ts";
import { cpu, type Measurement, page, tables } from "./report.ts";
import { type Shape, shapes } from "./shapes.ts";
import { rssPerIdleConnection, type Runner, type RunnerPlace, startRunner, type WarmUp, type Window } from "./windows.ts";

const { values: options } = parseArgs({
  options: {
    shapes: { type: "string" },
    proxies: { type: "string" },
    rounds: { type: "string", default: "2" },
    processes: { type: "string", default: "2" },
    seconds: { type: "string", default: "1" },
    "warm-up": { type: "string", default: "60000" },
    "no-report": { type: "boolean", default: false },
    "no-build": { type: "boolean", default: false },
    raw: { type: "string" },
  },
});
const root = fileURLToPath(new URL("../..", import.meta.url));
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const rounds = Number(options.rounds);
const processes = Number(options.processes);
const seconds = Number(options.seconds);

const proxyCore = 0;
const otherCore = 1;

prepare();
const folder = mkdtempSync(join(tmpdir(), "proxy-bench-"));
// nginx reads its files as another user.
chmodSync(folder, 0o755);
const chosenShapes = choose(shapes, options.shapes);
const chosenProxies = choose(proxies, options.proxies);
const base = proxies.find((proxy) => proxy.name === "nginx") as Proxy;
const measurements: Measurement[] = [];
// Only a whole run is published; the raw values of any run are kept as they come.
const isWhole = options.shapes === undefined && options.proxies === undefined && rounds * processes >= 3;
const publish = isWhole && !options["no-report"];
const rawFile = options.raw ?? (publish ? join(root, "docs/benchmarks.json") : join(tmpdir(), "proxy-bench-raw.json"));
const origin = await startOrigin(join(folder, "origin"), otherCore);
try {
  for (const shape of chosenShapes) {
    for (let turn = 0; turn < processes; turn++) await measureShape(shape, turn);
  }
} finally {
  await origin.running.stop();
  rmSync(folder, { recursive: true, force: true });
}
say(tables(chosenShapes, chosenProxies, measurements));
say(`raw values: ${rawFile}`);
if (publish) {
  const text = page({ root, shapes: chosenShapes, proxies: chosenProxies, measurements, rounds, processes, seconds, warmUp: Number(options["warm-up"]) });
  writeFileSync(join(root, "docs/benchmarks.md"), text);
}

/** All rounds of one shape with one process per proxy. */
async function measureShape(shape: Shape, turn: number): Promise<void> {
  const runners: Runner[] = [];
  const destination = await startDestination(shape, origin, otherCore);
  const place = (name: string): RunnerPlace => ({
    folder: join(folder, name.replaceAll("/", "-")),
    core: proxyCore,
    loadCore: otherCore,
    originPort: destination.port,
  });
  try {
    const nginx = await startRunner(base, shape, place("base"));
    runners.push(nginx);
    await nginx.warmUp(warmUpOf(shape));
    const others: Runner[] = [];
    const order = turn % 2 === 0 ? chosenProxies : [...chosenProxies].reverse();
    for (const proxy of order) {
      if (proxy.supports?.(shape) === false) continue;
      const runner = proxy === base ? nginx : await startRunner(proxy, shape, place(proxy.name));
      if (runner !== nginx) {
        runners.push(runner);
        await runner.warmUp(warmUpOf(shape));
      }
      others.push(runner);
    }
    for (let i = 0; i < rounds; i++) await measureRound(shape, nginx, i % 2 === 0 ? others : [...others].reverse(), turn * rounds + i);
    if (shape.idleConnections === undefined) return;
    for (const runner of others) {
      const added = await rssPerIdleConnection(runner);
      for (const [i, m] of measurements.entries()) {
        if (m.shape === shape.name && m.proxy === runner.proxy.name) measurements[i] = { ...m, rssPerIdleConnection: added };
      }
    }
  } finally {
    for (const runner of runners) await runner.stop();
    await destination.stop();
  }
}

/** One window of each proxy, and one of nginx before and after each. */
async function measureRound(shape: Shape, nginx: Runner, runners: readonly Runner[], round: number): Promise<void> {
  let before = await nginx.window(seconds);
  for (const runner of runners) {
    const window = await runner.window(seconds);
    const after = await nginx.window(seconds);
    const m = measurementOf(shape, runner, round, window, before, after);
    before = after;
    measurements.push(m);
    writeFileSync(rawFile, `${JSON.stringify(measurements, undefined, 1)}\n`);
    say(
      `${shape.name} ${round + 1} ${m.proxy}: ${cpu(m).toFixed(1)} µs, ${(cpu(m) / m.nginx).toFixed(2)} of nginx, `
        + `${m.requestsPerSecond.toFixed(0)}/s, p99 ${m.p99.toFixed(1)} ms, ${(m.peakRss / 1024).toFixed(0)} MB`
        + `${m.errors > 0 ? `, ${m.errors} ERRORS` : ""}`,
    );
  }
}

function measurementOf(shape: Shape, runner: Runner, round: number, window: Window, before: Window, after: Window): Measurement {
  return {
    shape: shape.name,
    proxy: runner.proxy.name,
    round,
    user: window.user,
    system: window.system,
    nginx: (before.user + before.system + after.user + after.system) / 2,
    warmUpCpu: runner.warmUpCpu,
    warmUpRequests: runner.warmUpRequests,
    requests: window.requests,
    requestsPerSecond: window.requestsPerSecond,
    p50: window.p50,
    p99: window.p99,
    peakRss: memory(runner.pids()).peak,
    rssPerIdleConnection: undefined,
    errors: window.errors,
  };
}

/** The same for every proxy; shapes whose requests move a megabyte need fewer of them. */
function warmUpOf(shape: Shape): WarmUp {
  const requests = Number(options["warm-up"]);
  return { requests: shape.large === true ? Math.ceil(requests / 20) : requests, seconds: 2, mostSeconds: 15 };
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
  const needed = ["/usr/sbin/nginx", "/usr/sbin/haproxy", "/usr/bin/wrk", "/usr/bin/h2load"].filter((file) => !existsSync(file));
  if (needed.length > 0) {
    process.stderr.write(`missing: ${needed.join(", ")} (apt-get install nginx-light haproxy wrk nghttp2-client)\n`);
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
