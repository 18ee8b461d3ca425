/**
 * What one small GET costs on the destination side: CPU time (user and system) of this process per request, for the
 * engine's client, undici's `Pool.dispatch` and a bare socket that does nothing but the system calls. The server is
 * a bare net server in a process of its own.
 *
 *   node --conditions=@proxy/source packages/http/bench/client.ts [rounds] [requests]
 *
 * Each variant runs in a fresh process, in alternating order; medians and raw values are printed. Where `taskset`
 * exists, server and client are put on different cores.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createRequire } from "node:module";
import { connect, createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { createEngineClient, type DestinationHandler, HeaderList } from "../src/index.ts";

const concurrency = 64;
const body = "x".repeat(100);
const answer = `HTTP/1.1 200 OK\r\nServer: bench\r\nDate: Sun, 22 Nov 2026 12:00:00 GMT\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\nConnection: keep-alive\r\n\r\n${body}`;
const fields: readonly (readonly [string, string])[] = [
  ["Host", "127.0.0.1"], ["User-Agent", "bench"], ["Accept", "*/*"], ["X-Forwarded-For", "127.0.0.1"],
];
const self = fileURLToPath(import.meta.url);

/** Runs `total` requests and calls `done` after the last. */
type Variant = (port: number, total: number) => Promise<void>;

const variants: Readonly<Record<string, Variant>> = { bare, engine, undici };

async function bare(port: number, total: number): Promise<void> {
  const request = `GET / HTTP/1.1\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
  let started = 0;
  let ended = 0;
  const buffer = Buffer.allocUnsafe(65_536);
  await new Promise<void>((resolve) => {
    for (let i = 0; i < concurrency; i++) {
      const socket = connect({
        host: "127.0.0.1", port, noDelay: true,
        onread: {
          buffer,
          callback: () => {
            if (++ended === total) resolve();
            if (started < total) {
              started++;
              socket.write(request, "latin1");
            } else socket.end();
            return true;
          },
        },
      });
      started++;
      socket.write(request, "latin1");
    }
  });
}

async function engine(port: number, total: number): Promise<void> {
  const client = createEngineClient({ maxConnections: concurrency });
  const pool = client.destination({ scheme: "http", host: "127.0.0.1", port });
  let started = 0;
  let ended = 0;
  await new Promise<void>((resolve, reject) => {
    const next = (): void => {
      if (started >= total) return;
      started++;
      const headers = new HeaderList();
      for (const [name, value] of fields) headers.append(name, value);
      pool.send({ method: "GET", target: "/", headers, body: undefined }, handler);
    };
    const handler: DestinationHandler = {
      onInformational: () => undefined,
      onResponse: () => undefined,
      onData: () => true,
      onEnd: () => {
        if (++ended === total) resolve();
        else next();
      },
      onUpgrade: () => undefined,
      onError: reject,
      onProgress: () => undefined,
    };
    for (let i = 0; i < concurrency; i++) next();
  });
  await client.close();
}

async function undici(port: number, total: number): Promise<void> {
  const require = createRequire(new URL("../../forwarder/package.json", import.meta.url));
  const { Pool } = require("undici") as { Pool: new (origin: string, options: object) => UndiciPool };
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections: concurrency, pipelining: 1, headersTimeout: 0, bodyTimeout: 0 });
  let started = 0;
  let ended = 0;
  await new Promise<void>((resolve, reject) => {
    const next = (): void => {
      if (started >= total) return;
      started++;
      const headers: string[] = [];
      for (const [name, value] of fields) headers.push(name, value);
      pool.dispatch({ method: "GET", path: "/", headers }, handler);
    };
    const handler = {
      onRequestStart: () => undefined,
      onResponseStart: () => undefined,
      onResponseData: () => undefined,
      onResponseEnd: () => {
        if (++ended === total) resolve();
        else next();
      },
      onResponseError: (_controller: unknown, error: Error) => reject(error),
    };
    for (let i = 0; i < concurrency; i++) next();
  });
  await pool.close();
}

interface UndiciPool {
  dispatch(request: object, handler: object): boolean;
  close(): Promise<void>;
}

function serve(): void {
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on("error", () => undefined);
    socket.on("data", () => socket.write(answer, "latin1"));
  });
  server.listen(0, "127.0.0.1", () => process.stdout.write(`${(server.address() as { port: number }).port}\n`));
}

async function measure(name: string, port: number, total: number): Promise<void> {
  const variant = variants[name];
  if (variant === undefined) throw new Error(`no variant ${name}`);
  await variant(port, Math.ceil(total / 5));
  const before = process.cpuUsage();
  await variant(port, total);
  const { user, system } = process.cpuUsage(before);
  process.stdout.write(`${JSON.stringify({ cpu: (user + system) / total, user: user / total, system: system / total })}\n`);
}

function start(core: number, args: readonly string[]): ChildProcess {
  const node = [process.execPath, "--conditions=@proxy/source", self, ...args];
  return spawn("taskset", ["-c", String(core), ...node], { stdio: ["ignore", "pipe", "inherit"] });
}

async function firstLine(child: ChildProcess): Promise<string> {
  let text = "";
  for await (const piece of child.stdout ?? []) {
    text += String(piece);
    if (text.includes("\n")) return text.slice(0, text.indexOf("\n"));
  }
  throw new Error("a process of the bench ended without a result");
}

async function main(rounds: number, total: number): Promise<void> {
  const server = start(1, ["serve"]);
  const port = await firstLine(server);
  const results = new Map<string, number[]>(Object.keys(variants).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    const names = Object.keys(variants);
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const child = start(0, ["measure", name, port, String(total)]);
      const { cpu, user, system } = JSON.parse(await firstLine(child)) as { cpu: number; user: number; system: number };
      results.get(name)?.push(cpu);
      process.stdout.write(`round ${round + 1} ${name.padEnd(7)} ${cpu.toFixed(1)} µs (user ${user.toFixed(1)}, system ${system.toFixed(1)})\n`);
    }
  }
  server.kill();
  const medians = new Map([...results].map(([name, values]) => [name, values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number]));
  const base = medians.get("bare") as number;
  process.stdout.write(`\nNode ${process.version}, ${total} requests, ${concurrency} connections, CPU µs per request of the client process\n`);
  for (const [name, median] of medians) process.stdout.write(`${name.padEnd(7)} median ${median.toFixed(1)}  ratio to bare ${(median / base).toFixed(2)}\n`);
}

const [mode, ...rest] = process.argv.slice(2);
if (mode === "serve") serve();
else if (mode === "measure") await measure(rest[0] as string, Number(rest[1]), Number(rest[2]));
else await main(Number(mode ?? 3), Number(rest[0] ?? 60_000));
