/** Sends the load of a shape with wrk and reads its answer; holds idle connections open. */
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";
import type { Shape } from "./shapes.ts";

export interface LoadResult {
  readonly requests: number;
  readonly requestsPerSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Socket errors and answers that are not 2xx or 3xx. */
  readonly errors: number;
}

export async function runLoad(
  shape: Shape,
  port: number,
  seconds: number,
  folder: string,
  core: number,
): Promise<LoadResult> {
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
  const args = ["-c", String(core), "wrk", "-t1", `-c${shape.connections}`, `-d${seconds}s`, "--latency"];
  args.push("--timeout", "10s", "-s", script, `http://127.0.0.1:${port}${shape.path}`);
  const output = await new Promise<string>((resolve, reject) => {
    const child = spawn("taskset", args, { stdio: ["ignore", "pipe", "pipe"] });
    let text = "";
    child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
    child.stderr.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
    child.once("error", reject);
    child.once("exit", (code) => (code === 0 ? resolve(text) : reject(new Error(`wrk failed: ${text}`))));
  });
  return parse(output);
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
