/**
 * What a bearer token costs among requests, and where it goes: a proxy in this process under load, whose one step does something else in each window of a fifth of a second.
 * Windows lie that close together, on the same connections and the same code of V8's, that other work on the machine meets all of them alike.
 *
 *   taskset -c 0 node --conditions=@proxy/source packages/edge/bench/tokens-among-requests.ts [seconds, 30]
 *
 * from the root, on Linux with two cores, nginx and wrk (`tooling/bench/README.md`). It prints
 *
 * 1. CPU of the process for each request, beyond that of a step that does nothing: for the signature alone, the whole check, and a step that only waits for as long as the check takes.
 *    What that one costs beyond its time is not the token's: a proxy that takes longer finds load and destination asleep, and wakes them.
 * 2. the time of one call, its median: in a loop of its own, and among requests, where the kernel and the proxy have used the processor's caches meanwhile.
 */
import { createPublicKey, verify, type JsonWebKeyInput } from "node:crypto";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@proxy/cluster";
import { createEngineServer, HeaderList, type Exchange } from "@proxy/http";
import { createReverseProxy, silentLogger, type Step } from "@proxy/pipeline";
// @boundaries-ignore the benchmark's destination, load and tokens
import { runLoad } from "../../../tooling/bench/load.ts";
// @boundaries-ignore as above
import { startOrigin } from "../../../tooling/bench/origin.ts";
// @boundaries-ignore as above
import { shapes } from "../../../tooling/bench/shapes.ts";
// @boundaries-ignore as above
import { audience, issuer, jwks } from "../../../tooling/bench/tokens.ts";
import { bearerKind } from "../src/authentication/bearer/bearer-scheme.ts";
import { memorySignInStore } from "../src/index.ts";

const seconds = Number(process.argv[2] ?? 30);
const windowTime = 200;
const shape = shapes.find(({ name }) => name === "jwt-rs256") ?? shapes[0];
const field = shape?.headers?.["Authorization"] ?? "";
if (shape === undefined || field === "") throw new Error("the benchmark has no shape with a token");
const folder = mkdtempSync(join(tmpdir(), "bench-tokens-"));
// nginx reads its files as another user.
chmodSync(folder, 0o755);
const keyFile = join(folder, "jwks.json");
writeFileSync(keyFile, JSON.stringify(jwks));
const services = { clock: systemClock, fetch: globalThis.fetch, log: silentLogger, trusts: () => false, store: memorySignInStore(), withoutOwnCredentials: <T>(request: T): T => request, scheme: () => undefined };
const schemeWith = (cacheDuration: number) => bearerKind.create("jwt", { issuer, audiences: [audience], keyFile, cacheDuration }, services);
const each = schemeWith(0);
const kept = schemeWith(60_000);

const token = field.slice("Bearer ".length);
const end = token.lastIndexOf(".");
const key = createPublicKey({ key: jwks.keys.find(({ alg }) => alg === "RS256"), format: "jwk" } as JsonWebKeyInput);
const signed = Buffer.from(token.slice(0, end));
const signature = Buffer.from(token.slice(end + 1), "base64url");

const ways: Readonly<Record<string, (exchange: Exchange) => unknown>> = {
  "nothing": () => undefined,
  "signature": () => verify("sha256", signed, key, signature),
  "check": (exchange) => each.authenticate(exchange),
  "checked before": (exchange) => kept.authenticate(exchange),
  "wait": () => {
    for (const until = performance.now() + waits; performance.now() < until; );
  },
};
const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/** Milliseconds of a call of each way, its median. */
function hot(way: (exchange: Exchange) => unknown): number {
  const exchange = { request: { headers: HeaderList.from([["Host", "h"], ["Authorization", field]]) } } as unknown as Exchange;
  return median(Array.from({ length: 10_000 }, () => timed(() => way(exchange)))) - noTime;
}

function timed(run: () => unknown): number {
  const before = performance.now();
  run();
  return performance.now() - before;
}

const noTime = median(Array.from({ length: 10_000 }, () => timed(() => undefined)));
const alone = new Map(["signature", "check"].map((name) => [name, hot(ways[name] ?? (() => undefined))]));
let waits = alone.get("check") ?? 0;

let way = ways["nothing"] ?? (() => undefined);
let times: number[] | undefined;
let requests = 0;
const step: Step = {
  name: "measured",
  run(ctx, next) {
    requests++;
    if (times === undefined) way(ctx.exchange);
    else times.push(timed(() => way(ctx.exchange)) - noTime);
    return next(ctx);
  },
};
const origin = await startOrigin(join(folder, "origin"), 1);
const proxy = await createReverseProxy({
  config: {
    routes: { all: { clusterId: "origin", match: { path: "/{**rest}" } } },
    clusters: { origin: { destinations: { only: { address: `http://127.0.0.1:${origin.port}` } } } },
  },
  steps: (steps) => [step, ...steps],
});
const server = createEngineServer({ handler: proxy.handle });
const { port } = await server.listen({ host: "127.0.0.1", port: 0 });

const costs = new Map(Object.keys(ways).map((name): [string, number[]] => [name, []]));
const among = new Map(["signature", "check"].map((name): [string, number[]] => [name, []]));
const turns: readonly (readonly [string, boolean])[] = [...Object.keys(ways).map((name) => [name, false] as const), ["signature", true], ["check", true]];
const load = runLoad(shape, port, seconds + 5, folder, 1);
const pause = (time: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, time));
await pause(500);
const warmUntil = performance.now() + 4000;
const until = warmUntil + seconds * 1000 - 1000;
for (let turn = 0; performance.now() < until; turn++) {
  const order = turn % 2 === 0 ? turns : turns.toReversed();
  for (const [name, isTimed] of order) {
    way = ways[name] ?? way;
    times = isTimed ? [] : undefined;
    // What was under way when the window before ended.
    await pause(20);
    const [before, at] = [process.cpuUsage(), requests];
    await pause(windowTime);
    const { user, system } = process.cpuUsage(before);
    if (performance.now() < warmUntil) continue;
    if (isTimed) among.get(name)?.push(median(times ?? []));
    else costs.get(name)?.push((user + system) / (requests - at));
  }
  // Among requests it takes longer than alone.
  waits = median(among.get("check") ?? []) || waits;
}
const { errors } = await load;

const base = median(costs.get("nothing") ?? []);
const say = (text: string): void => void process.stdout.write(`${text}\n`);
say(`a step that does    CPU of a request   beyond nothing   the least window (${costs.get("nothing")?.length} windows each, ${errors} errors)`);
for (const [name, all] of costs) {
  const what = name === "wait" ? `wait ${(waits * 1000).toFixed(1)} µs` : name;
  say(`${what.padEnd(16)} ${median(all).toFixed(1).padStart(12)} µs ${(median(all) - base).toFixed(1).padStart(15)} µs ${Math.min(...all).toFixed(1).padStart(13)} µs`);
}
say("one call           in a loop of its own   among requests");
for (const [name, time] of alone) say(`${name.padEnd(16)} ${(time * 1000).toFixed(1).padStart(18)} µs ${(median(among.get(name) ?? []) * 1000).toFixed(1).padStart(13)} µs`);

await server.close();
await proxy.close();
await origin.running.stop();
rmSync(folder, { recursive: true });
