/**
 * Compares builds of the gateway with nginx and with one another, in pairs: all run at the same time, and short windows
 * of load go round among them, so that what else the machine does meets all of them alike. For whoever changes the
 * hot path: some two minutes tell a difference of 2 % on a machine where two runs of `pnpm bench` differ by 20 %.
 *
 *   node tooling/bench/compare.ts [--shape small-get] [--windows 10] [--seconds 1] [--warm-up 60000] [name=tree[,flag…]]…
 *
 * Each build is a name, the root of a built work tree and flags for its Node: `after=. gc=.,--single-threaded-gc`.
 * Default: `gateway=.`. Proxies of the benchmark can be named too: `fast-proxy haproxy`.
 */
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { startOrigin } from "./origin.ts";
import { median } from "./report.ts";
import { gateway, type Proxy, proxies } from "./proxies.ts";
import { shapes } from "./shapes.ts";
import { type Runner, startRunner, type Window } from "./windows.ts";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    shape: { type: "string", default: "small-get" },
    windows: { type: "string", default: "10" },
    seconds: { type: "string", default: "1" },
    "warm-up": { type: "string", default: "60000" },
  },
});

const shape = shapes.find((each) => each.name === options.shape);
if (shape === undefined) throw new Error(`unknown shape: ${options.shape}`);
const chosen = positionals.length === 0 ? [proxyOf("gateway=.")] : positionals.map(proxyOf);
const nginx = proxies.find((each) => each.name === "nginx") as Proxy;
const folder = mkdtempSync(join(tmpdir(), "proxy-compare-"));
chmodSync(folder, 0o755);
const origin = await startOrigin(join(folder, "origin"), 1);
const runners: Runner[] = [];
try {
  for (const proxy of [nginx, ...chosen]) {
    const work = join(folder, proxy.name.replaceAll("/", "-"));
    mkdirSync(work);
    const runner = await startRunner(proxy, shape, { folder: work, core: 0, loadCore: 1, originPort: origin.port });
    runners.push(runner);
    await runner.warmUp({ requests: Number(options["warm-up"]), seconds: 1, mostSeconds: 60 });
  }
  const measured = new Map<string, Window[]>(runners.map((runner) => [runner.proxy.name, []]));
  for (let i = 0; i < Number(options.windows); i++) {
    // nginx stands in the middle of each turn, and the others turn round about it.
    const turn = i % 2 === 0 ? runners : [...runners].reverse();
    for (const runner of turn) measured.get(runner.proxy.name)?.push(await runner.window(Number(options.seconds)));
  }
  const base = measured.get("nginx") as Window[];
  for (const [name, windows] of measured) {
    const of = (pick: (window: Window) => number): string => median(windows.map(pick)).toFixed(1).padStart(6);
    const ratios = windows.map((window, i) => cpu(window) / cpu(base[i] as Window));
    process.stdout.write(
      `${name.padEnd(24)} ${of(cpu)} µs (user ${of((w) => w.user)}, system ${of((w) => w.system)})  to nginx ${median(ratios).toFixed(3)}, `
        + `least ${least(windows).toFixed(1)} µs, ${(least(windows) / least(base)).toFixed(3)}`
        + `  [${ratios.map((ratio) => ratio.toFixed(2)).join(" ")}]\n`,
    );
  }
  // Each build beside the first one.
  const first = chosen[0] as Proxy;
  for (const proxy of chosen.slice(1)) {
    const mine = measured.get(proxy.name) as Window[];
    const other = measured.get(first.name) as Window[];
    const ratios = mine.map((window, i) => cpu(window) / cpu(other[i] as Window));
    process.stdout.write(`${proxy.name} to ${first.name}: ${median(ratios).toFixed(3)}, least ${(least(mine) / least(other)).toFixed(3)}\n`);
  }
} finally {
  for (const runner of runners) await runner.stop();
  await origin.running.stop();
  rmSync(folder, { recursive: true, force: true });
}

function cpu(window: Window): number {
  return window.user + window.system;
}

/** What disturbs only ever adds: the window with the least tells something too. */
function least(windows: readonly Window[]): number {
  return Math.min(...windows.map(cpu));
}

function proxyOf(text: string): Proxy {
  const at = text.indexOf("=");
  if (at < 0) {
    const known = proxies.find((proxy) => proxy.name === text);
    if (known === undefined) throw new Error(`unknown proxy: ${text}`);
    return known;
  }
  const [tree = ".", ...flags] = text.slice(at + 1).split(",");
  return gateway(text.slice(0, at), "http1", resolve(tree), flags);
}
