/**
 * What handing connections over costs beside forwarding: three processes (load, gateway, target), the same gateway, and the same target by
 * each way, in turns. CPU is the process's own, user and system; wall clock on a shared machine says less. Beside `pnpm bench`, which measures
 * the built gateway under many connections, this shows what the target pays.
 *
 *   node --conditions=@proxy/source apps/gateway/bench/delegation.ts [rounds]
 */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createUnixCarrier, Delegator } from "@proxy/delegation";
import { createReceiver } from "@proxy/delegation/receiver";
import { createEngineServer, HeaderList } from "@proxy/http";
import { createReverseProxy } from "@proxy/pipeline";

const ways = ["forward", "perRequest", "sticky"] as const;
const shapes = [
  { name: "1 MB GET", target: "/large", requests: 2000, clients: 2 },
  { name: "small GET", target: "/small", requests: 20_000, clients: 2 },
] as const;

const [role, ...args] = process.argv.slice(2);
if (role === "target") await target(args[0] as string);
else if (role === "gateway") await gateway(args[0] as string, args[1] as string, Number(args[2]));
else await measure(Number(role ?? 3));

async function target(path: string): Promise<void> {
  const large = Buffer.alloc(1_048_576, "x");
  const server = createEngineServer({
    handler: ({ request, response }) => response.send({ status: 200, headers: new HeaderList() }, request.path === "/large" ? large : "hello"),
  });
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  await createReceiver({ path, server });
  report({ port });
}

async function gateway(way: string, path: string, port: number): Promise<void> {
  const metadata = way === "forward" ? undefined : { DelegationSocket: path, DelegationMode: way };
  const proxy = await createReverseProxy({
    config: {
      routes: { r: { clusterId: "c", match: { path: "{**all}" } } },
      clusters: { c: { destinations: { d: { address: `http://127.0.0.1:${port}/`, metadata } } } },
    },
    delegator: new Delegator({ carriers: [createUnixCarrier()] }),
  });
  const server = createEngineServer({ handler: proxy.handle });
  report({ port: (await server.listen({ host: "127.0.0.1", port: 0 })).port });
}

/** Tells the port, and from then on the CPU used whenever it is asked. */
function report(ready: { readonly port: number }): void {
  process.on("message", () => process.send?.(process.cpuUsage()));
  process.send?.(ready);
}

interface Figures {
  readonly gateway: number;
  readonly target: number;
  readonly median: number;
}

async function measure(rounds: number): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "delegation-bench-"));
  const path = join(directory, "target.sock");
  const other = await start("target", path);
  const results = new Map<string, Figures[]>();
  for (let round = 0; round < rounds; round++) {
    for (const way of round % 2 === 0 ? ways : ways.toReversed()) {
      for (const shape of shapes) {
        const front = await start("gateway", way, path, String(other.port));
        // As many as are measured: before that compiling is in the figure.
        await load(front.port, shape.target, shape.requests, shape.clients);
        const before = [await cpu(front.child), await cpu(other.child)] as const;
        const times = await load(front.port, shape.target, shape.requests, shape.clients);
        const after = [await cpu(front.child), await cpu(other.child)] as const;
        const median = times.sort((a, b) => a - b)[times.length >> 1] as number;
        const figures = { gateway: (after[0] - before[0]) / shape.requests, target: (after[1] - before[1]) / shape.requests, median };
        const key = `${shape.name}, ${way}`;
        results.set(key, [...(results.get(key) ?? []), figures]);
        front.child.kill();
      }
    }
  }
  other.child.kill();
  await rm(directory, { recursive: true });
  for (const [key, all] of results) {
    const middle = (of: (each: Figures) => number): number => all.map(of).sort((a, b) => a - b)[all.length >> 1] as number;
    const figures = [middle((each) => each.gateway), middle((each) => each.target), middle((each) => each.median)].map((each) => each.toFixed(0).padStart(6));
    process.stdout.write(`${key.padEnd(24)} gateway ${figures[0]} µs  target ${figures[1]} µs  p50 ${figures[2]} µs\n`);
  }
}

async function start(...argv: string[]): Promise<{ child: ChildProcess; port: number }> {
  const child = fork(fileURLToPath(import.meta.url), argv, { execArgv: ["--conditions=@proxy/source"] });
  const [{ port }] = (await once(child, "message")) as [{ port: number }];
  return { child, port };
}

async function cpu(child: ChildProcess): Promise<number> {
  child.send("cpu");
  const [{ user, system }] = (await once(child, "message")) as [NodeJS.CpuUsage];
  return user + system;
}

/** Keep-alive connections with one request at a time; gives the microseconds that each took. */
async function load(port: number, path: string, requests: number, clients: number): Promise<number[]> {
  const times: number[] = [];
  const request = `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
  await Promise.all(Array.from({ length: clients }, () => new Promise<void>((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    let left = requests / clients;
    let expected = -1;
    let since = 0;
    const send = (): void => {
      expected = -1;
      since = performance.now();
      socket.write(request);
    };
    socket.on("connect", send).on("error", reject);
    socket.on("data", (chunk: Buffer) => {
      if (expected < 0) {
        const head = chunk.toString("latin1");
        const length = Number(/content-length: (\d+)/i.exec(head)?.[1]);
        if (!head.startsWith("HTTP/1.1 200")) reject(new Error(head));
        expected = head.indexOf("\r\n\r\n") + 4 + length;
      }
      expected -= chunk.length;
      if (expected > 0) return;
      times.push((performance.now() - since) * 1000);
      if (--left > 0) send();
      else socket.destroy();
    });
    socket.on("close", () => resolve());
  })));
  return times;
}
