/**
 * Compares builds of the gateway with nginx and with one another, in pairs: all run at the same time, and short windows
 * of load go round among them, so that what else the machine does meets all of them alike. For whoever changes the
 * hot path: some two minutes tell a difference of 2 % on a machine where two runs of `pnpm bench` differ by 20 %.
 *
 *   node tooling/bench/compare.ts [--shape small-get] [--windows 10] [--processes 3] [--seconds 1] [--warm-up 60000] [name=tree[,flag…]]…
 *
 * Each build is a name, the root of a built work tree and flags for its Node: `after=. gc=.,--single-threaded-gc`.
 * Of each there are several processes: what V8 makes of the same code differs by 5 % from one to the next. Default: `gateway=.`. Proxies of the benchmark can be named too: `fast-proxy haproxy`.
 */
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { startDestination } from "./destination.ts";
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
    processes: { type: "string", default: "3" },
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
const destination = await startDestination(shape, origin, 1);
const runners: Runner[] = [];
try {
  const start = async (proxy: Proxy, instance: number): Promise<void> => {
    const work = join(folder, `${proxy.name.replaceAll("/", "-")}-${instance}`);
    const runner = await startRunner(proxy, shape, { folder: work, core: 0, loadCore: 1, originPort: destination.port });
    runners.push(runner);
    await runner.warmUp({ requests: Number(options["warm-up"]), seconds: 1, mostSeconds: 60 });
  };
  await start(nginx, 0);
  for (let i = 0; i < Number(options.processes); i++) for (const proxy of chosen) await start(proxy, i);

  const measured = new Map<Runner, Window[]>(runners.map((runner) => [runner, []]));
  for (let i = 0; i < Number(options.windows); i++) {
    const turn = i % 2 === 0 ? runners : [...runners].reverse();
    for (const runner of turn) measured.get(runner)?.push(await runner.window(Number(options.seconds)));
  }
  const base = measured.get(runners[0] as Runner) as Window[];
  const toNginx = (windows: readonly Window[]): number[] => windows.map((window, i) => cpu(window) / cpu(base[i] as Window));
  let first: number | undefined;
  for (const proxy of [nginx, ...chosen]) {
    const each = runners.filter((runner) => runner.proxy === proxy).map((runner) => measured.get(runner) as Window[]);
    const all = each.flat();
    const of = (pick: (window: Window) => number): string => median(all.map(pick)).toFixed(1).padStart(6);
    const ratio = median(each.flatMap(toNginx));
    if (proxy !== nginx) first ??= ratio;
    const errors = all.reduce((sum, window) => sum + window.errors, 0);
    // What disturbs only ever adds: the window with the least tells something too.
    const least = each.map((windows) => Math.min(...windows.map(cpu)).toFixed(1)).join(" ");
    process.stdout.write(
      `${proxy.name.padEnd(16)} ${of(cpu)} µs (user ${of((w) => w.user)}, system ${of((w) => w.system)})  to nginx ${ratio.toFixed(3)}`
        + ` [by process ${each.map((windows) => median(toNginx(windows)).toFixed(2)).join(" ")}]`
        + ` to the first ${(ratio / (first ?? ratio)).toFixed(3)}  least µs by process ${least}${errors > 0 ? `  ${errors} ERRORS` : ""}\n`,
    );
  }
} finally {
  for (const runner of runners) await runner.stop();
  await destination.stop();
  await origin.running.stop();
  rmSync(folder, { recursive: true, force: true });
}

function cpu(window: Window): number {
  return window.user + window.system;
}

function proxyOf(text: string): Proxy {
  const at = text.indexOf("=");
  if (at < 0) {
    const known = proxies.find((proxy) => proxy.name === text);
    if (known === undefined) throw new Error(`unknown proxy: ${text}`);
    return known;
  }
  const [tree = ".", ...flags] = text.slice(at + 1).split(",");
  return gateway(text.slice(0, at), "http1", { tree: resolve(tree), flags });
}
