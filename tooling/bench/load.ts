/** Sends the load of a shape, with wrk unless it names another program, and reads its answer; holds idle connections open. */
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { urlOf } from "./front.ts";
import type { Shape } from "./shapes.ts";

export interface LoadResult {
  readonly requests: number;
  readonly requestsPerSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Socket errors and answers that are not 2xx or 3xx; with gRPC, replies without `grpc-status: 0`, which are no requests either. */
  readonly errors: number;
}

export async function runLoad(
  shape: Shape,
  port: number,
  seconds: number,
  folder: string,
  core: number,
): Promise<LoadResult> {
  if (shape.load === "h2load") return runH2load(shape, port, seconds, folder, core);
  if (shape.load !== undefined) {
    const script = fileURLToPath(new URL(`loads/${shape.load}.mjs`, import.meta.url));
    return JSON.parse(await run(core, [process.execPath, script, String(port), String(seconds), String(shape.connections), JSON.stringify(shape)])) as LoadResult;
  }
  const script = join(folder, `${shape.name}.lua`);
  let lua = `wrk.method = "${shape.method ?? "GET"}"\n`;
  for (const [name, value] of Object.entries(shape.headers ?? {})) {
    lua += `wrk.headers[${JSON.stringify(name)}] = ${JSON.stringify(value)}\n`;
  }
  if (shape.bodyBytes !== undefined) {
    lua +=
      shape.name === "json-post"
        ? `wrk.body = '{"text":"' .. string.rep("x", ${shape.bodyBytes - 11}) .. '"}'\n`
        : `wrk.body = string.rep("x", ${shape.bodyBytes})\n`;
  }
  writeFileSync(script, lua);
  const args = ["-t1", `-c${shape.connections}`, `-d${seconds}s`, "--latency", "--timeout", "10s", "-s", script];
  return parse(await run(core, ["wrk", ...args, urlOf(shape, port)]));
}

async function runH2load(shape: Shape, port: number, seconds: number, folder: string, core: number): Promise<LoadResult> {
  const log = join(folder, `${shape.name}.log`);
  const args = ["-t1", `-c${shape.connections}`, `-m${shape.streams ?? 1}`, `-D${seconds}`, `--log-file=${log}`];
  for (const [name, value] of Object.entries(shape.headers ?? {})) args.push("-H", `${name}: ${value}`);
  if (shape.bodyBytes !== undefined) {
    const body = join(folder, `${shape.name}.body`);
    writeFileSync(body, Buffer.alloc(shape.bodyBytes, "x"));
    args.push(`--data=${body}`);
  }
  const text = await run(core, ["h2load", ...args, urlOf(shape, port)]);
  const requests = Number(/(\d+) done/.exec(text)?.[1] ?? 0);
  const failed = /(\d+) failed, (\d+) errored, (\d+) timeout/.exec(text)?.slice(1) ?? [];
  const others = /\d+ 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx/.exec(text)?.slice(1) ?? [];
  const times = readFileSync(log, "latin1").split("\n").slice(0, -1).map((line) => Number(line.split("\t")[2]) / 1000).sort((a, b) => a - b);
  const at = (share: number): number => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
  return {
    requests,
    requestsPerSecond: requests / seconds,
    p50: at(0.5),
    p99: at(0.99),
    errors: [...failed, ...others].reduce((sum, count) => sum + Number(count), 0),
  };
}

function run(core: number, command: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn("taskset", ["-c", String(core), ...command], { stdio: ["ignore", "pipe", "pipe"] });
    let text = "";
    child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
    child.stderr.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
    child.once("error", reject);
    child.once("exit", (code) => (code === 0 ? resolve(text) : reject(new Error(`${command[0]} failed: ${text}`))));
  });
}

function parse(text: string): LoadResult {
  const requests = Number(/(\d+) requests in/.exec(text)?.[1] ?? 0);
  const socketErrors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text);
  let errors = Number(/Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? 0);
  for (const count of socketErrors?.slice(1) ?? []) errors += Number(count);
  return {
    requests,
    requestsPerSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1] ?? 0),
    p50: latency(text, "50%"),
    p99: latency(text, "99%"),
    errors,
  };
}

function latency(text: string, line: string): number {
  const match = new RegExp(`${line}\\s+([\\d.]+)(us|ms|s)`).exec(text);
  const factor = match?.[2] === "us" ? 0.001 : match?.[2] === "s" ? 1000 : 1;
  return Number(match?.[1] ?? 0) * factor;
}

/** Opens `count` connections that each send one request, read the answer, and stay. */
export async function openIdle(count: number, port: number): Promise<{ close(): void }> {
  const sockets: net.Socket[] = [];
  for (let i = 0; i < count; i++) {
    const socket = net.connect(port, "127.0.0.1");
    socket.on("error", () => undefined);
    sockets.push(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once("data", () => resolve());
      socket.once("close", () => reject(new Error("an idle connection was closed")));
      socket.write("GET /small HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    });
    socket.removeAllListeners("close");
  }
  return {
    close() {
      for (const socket of sockets) socket.destroy();
    },
  };
}
