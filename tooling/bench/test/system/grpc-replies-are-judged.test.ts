/** Which replies the gRPC load counts. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished } from "vitest";

const script = fileURLToPath(new URL("../../loads/grpc.mjs", import.meta.url));
const shape = { path: "/bench.Echo/Unary", headers: { "content-type": "application/grpc", te: "trailers" }, streams: 4, bodyBytes: 105 };

async function load(answer: (stream: ServerHttp2Stream, request: Buffer) => void): Promise<{ readonly requests: number; readonly errors: number }> {
  const sessions = new Set<ServerHttp2Session>();
  const server = createServer();
  server.on("session", (session) => sessions.add(session));
  server.on("stream", (stream: ServerHttp2Stream) => {
    const chunks: Buffer[] = [];
    stream.on("error", () => undefined);
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => answer(stream, Buffer.concat(chunks)));
  });
  server.on("sessionError", () => undefined);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  const child = spawn(process.execPath, [script, String((server.address() as AddressInfo).port), "2", "2", JSON.stringify(shape)]);
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString("utf8")));
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString("utf8")));
  const [code] = await once(child, "close");
  expect(code, output).toBe(0);
  return JSON.parse(output) as { requests: number; errors: number };
}

function reply(stream: ServerHttp2Stream, message: Buffer, trailers: Record<string, string> | undefined, status = 200): void {
  if (stream.destroyed) return;
  stream.respond({ ":status": status, "content-type": "application/grpc" }, { waitForTrailers: trailers !== undefined });
  stream.on("wantTrailers", () => stream.sendTrailers(trailers ?? {}));
  stream.end(message);
}

it("counts replies with a message and grpc-status 0", async () => {
  const { requests, errors } = await load((stream, message) => reply(stream, message, { "grpc-status": "0" }));
  expect(requests).toBeGreaterThan(0);
  expect(errors).toBe(0);
});

it.each<[string, (stream: ServerHttp2Stream, message: Buffer) => void]>([
  ["another status", (stream, message) => reply(stream, message, { "grpc-status": "13" })],
  ["no status", (stream, message) => reply(stream, message, { other: "0" })],
  ["no trailers", (stream, message) => reply(stream, message, undefined)],
  ["no message", (stream) => reply(stream, Buffer.alloc(0), { "grpc-status": "0" })],
  ["a status of HTTP that is not 200", (stream, message) => reply(stream, message, { "grpc-status": "0" }, 503)],
  ["a reset", (stream) => stream.close(8)],
])("takes a reply with %s for an error", async (_title, answer) => {
  const { requests, errors } = await load(answer);
  expect(requests).toBe(0);
  expect(errors).toBeGreaterThan(0);
});
