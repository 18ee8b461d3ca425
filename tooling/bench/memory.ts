/**
 * Shows that memory stays bounded while one side is slow: a large download to a slow reader and a large upload to a slow
 * destination run through the gateway at the same time, and its resident memory is read all along.
 *
 *   node tooling/bench/memory.ts [--bytes 1073741824] [--rate 1048576] [--record]
 *
 * `--record` keeps the line for `docs/benchmarks.md`. Runs the built gateway: `pnpm build` first. Prints the peak; exits 1 above 150 MB or when bytes were lost. With the defaults it takes 17 minutes.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { accepts, freePort } from "./processes.ts";

const { values: options } = parseArgs({
  options: {
    bytes: { type: "string", default: String(1024 ** 3) },
    rate: { type: "string", default: String(1024 ** 2) },
    engine: { type: "string", default: "http1" },
    record: { type: "boolean", default: false },
  },
});
const bytes = Number(options.bytes);
const rate = Number(options.rate);
const limit = 150 * 1024;

/** Reads at `rate` bytes per second: ten portions a second. */
function readSlowly(socket: net.Socket, onBytes: (count: number) => void): void {
  let allowed = rate / 10;
  const timer = setInterval(() => {
    allowed = rate / 10;
    socket.resume();
  }, 100);
  socket.on("data", (chunk) => {
    onBytes(chunk.length);
    allowed -= chunk.length;
    if (allowed <= 0) socket.pause();
  });
  socket.once("close", () => clearInterval(timer));
  socket.on("error", () => undefined);
}

/** Writes `bytes` as fast as the other side takes them. */
function writeAll(socket: net.Socket): void {
  const chunk = Buffer.alloc(65_536, "x");
  let left = bytes;
  const more = (): void => {
    while (left > 0) {
      const size = Math.min(left, chunk.length);
      left -= size;
      if (!socket.write(size === chunk.length ? chunk : chunk.subarray(0, size))) {
        socket.once("drain", more);
        return;
      }
    }
  };
  more();
}

const destination = net.createServer((socket) => {
  socket.once("data", (first: Buffer) => {
    const text = first.toString("latin1");
    if (text.startsWith("GET")) {
      socket.on("error", () => undefined);
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${bytes}\r\n\r\n`);
      writeAll(socket);
      return;
    }
    let received = first.length - (text.indexOf("\r\n\r\n") + 4);
    const done = (): void => {
      if (received === bytes) socket.write("HTTP/1.1 204 No Content\r\n\r\n");
    };
    readSlowly(socket, (count) => {
      received += count;
      done();
    });
    done();
  });
});
await new Promise<void>((resolve) => destination.listen(0, "127.0.0.1", resolve));
const destinationPort = (destination.address() as net.AddressInfo).port;

const folder = mkdtempSync(join(tmpdir(), "proxy-memory-"));
const port = await freePort();
const config = join(folder, "gateway.json");
writeFileSync(
  config,
  JSON.stringify({
    Urls: `http://127.0.0.1:${port}`,
    Server: { Engine: options.engine, Limits: { MaxRequestBodySize: null } },
    ReverseProxy: {
      Routes: { all: { ClusterId: "one", Match: { Path: "/{**rest}" } } },
      Clusters: { one: { Destinations: { only: { Address: `http://127.0.0.1:${destinationPort}` } } } },
    },
  }),
);
const main = fileURLToPath(new URL("../../apps/gateway/dist/main.js", import.meta.url));
const gateway: ChildProcess = spawn(
  process.execPath,
  [main, "run", "--config", config],
  { stdio: ["ignore", "ignore", "inherit"] },
);
let peak = 0;
const sample = setInterval(() => {
  if (gateway.exitCode !== null) {
    process.stderr.write(`the gateway ended with ${gateway.exitCode}\n`);
    process.exit(1);
  }
  const now = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${gateway.pid}/status`, "latin1"))?.[1] ?? 0);
  peak = Math.max(peak, now);
}, 200);
let lost = "";
try {
  await accepts(port);
  const download = new Promise<void>((resolve, reject) => {
    let received = 0;
    let head = "";
    const socket = net.connect(port, "127.0.0.1", () => socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    socket.once("data", (first: Buffer) => {
      head = first.toString("latin1");
      const end = head.indexOf("\r\n\r\n") + 4;
      received = first.length - end;
      readSlowly(socket, (count) => {
        received += count;
        if (received === bytes) resolve();
      });
    });
    socket.once("close", () => reject(new Error(`download ended after ${received} of ${bytes} bytes`)));
  });
  const upload = new Promise<void>((resolve, reject) => {
    const socket = net.connect(port, "127.0.0.1", () => {
      socket.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${bytes}\r\n\r\n`);
      writeAll(socket);
    });
    let answer = "";
    socket.on("data", (chunk: Buffer) => {
      answer += chunk.toString("latin1");
      if (answer.startsWith("HTTP/1.1 204")) resolve();
      else if (answer.length > 12) reject(new Error(`upload was answered ${answer.slice(0, 40)}`));
    });
    socket.on("error", () => undefined);
    socket.once("close", () => reject(new Error("upload ended without an answer")));
  });
  const results = await Promise.allSettled([download, upload]);
  for (const result of results) if (result.status === "rejected") lost += ` ${String(result.reason)};`;
} finally {
  clearInterval(sample);
  gateway.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
}
const line = `${(bytes / 2 ** 20).toFixed(0)} MiB each way at ${(rate / 2 ** 20).toFixed(1)} MiB/s: peak ${(peak / 1024).toFixed(0)} MB RSS${lost}\n`;
process.stdout.write(line);
if (options.record) writeFileSync(new URL("../../docs/benchmarks-memory.txt", import.meta.url), line);
process.exit(peak > limit || lost !== "" ? 1 : 0);
