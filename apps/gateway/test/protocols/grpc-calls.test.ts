/** gRPC with its own client and server through the gateway: all kinds of calls, with and without TLS on both sides. */
import { readFileSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  type ChannelCredentials, Client, credentials, Metadata, type MethodDefinition, Server, ServerCredentials, type ServerDuplexStream, type ServerReadableStream,
  type ServerUnaryCall, type ServerWritableStream, type sendUnaryData, type ServiceDefinition, type ServiceError, status, type UntypedHandleCall,
} from "@grpc/grpc-js";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { configFolder, oneRoute } from "../support/config-file.ts";
import { startGateway } from "../support/running-gateway.ts";

const fixture = (name: string): string => fileURLToPath(new URL(`../../../../packages/http/test/tls/${name}`, import.meta.url));
const cert = readFileSync(fixture("cert.pem"));
const key = readFileSync(fixture("key.pem"));

const toBytes = (text: string): Buffer => Buffer.from(text);
const toText = (bytes: Buffer): string => bytes.toString();
const method = (name: string, requestStream: boolean, responseStream: boolean): MethodDefinition<string, string> => ({
  path: `/test.Echo/${name}`, requestStream, responseStream, requestSerialize: toBytes, requestDeserialize: toText, responseSerialize: toBytes, responseDeserialize: toText,
});
const methods = {
  unary: method("Unary", false, false),
  download: method("Download", false, true),
  upload: method("Upload", true, false),
  both: method("Both", true, true),
} satisfies ServiceDefinition;

/** What the destination does; each kind of call has its own way to be told to fail. */
function serve(server: Server, cancelled: string[], waiting: { count: number }): void {
  const handlers: Record<keyof typeof methods, UntypedHandleCall> = {
    unary(call: ServerUnaryCall<string, string>, callback: sendUnaryData<string>) {
      call.on("cancelled", () => cancelled.push("unary"));
      if (call.request === "fail") {
        const metadata = new Metadata();
        metadata.set("why", "asked to");
        callback({ code: status.NOT_FOUND, details: "no such thing", metadata });
      } else if (call.request === "wait") {
        waiting.count++;
      } else {
        const trailers = new Metadata();
        trailers.set("x-trailer", "t");
        trailers.set("x-bin-bin", Buffer.from([0, 1, 255]));
        const head = new Metadata();
        head.set("x-head", String(call.metadata.get("x-asked")[0]));
        call.sendMetadata(head);
        callback(null, `${call.request}!`, trailers);
      }
    },
    download(call: ServerWritableStream<string, string>) {
      call.on("cancelled", () => cancelled.push("download"));
      for (let i = 0; i < 3; i++) call.write(`${call.request}${i}`);
      if (call.request === "break") call.emit("error", { code: status.DATA_LOSS, details: "broke" });
      else if (call.request !== "endless ") call.end();
    },
    upload(call: ServerReadableStream<string, string>, callback: sendUnaryData<string>) {
      let size = 0;
      call.on("data", (message: string) => (size += message.length));
      call.on("end", () => callback(null, String(size)));
      call.on("cancelled", () => cancelled.push("upload"));
    },
    both(call: ServerDuplexStream<string, string>) {
      call.on("data", (message: string) => call.write(`${message}?`));
      call.on("end", () => call.end());
      call.on("cancelled", () => cancelled.push("both"));
    },
  };
  server.addService(methods, handlers);
}

/** A gateway between a client and a server of gRPC. */
interface Bench {
  readonly client: Client;
  readonly server: Server;
  readonly cancelled: string[];
  /** How many unary calls have come that wait. */
  readonly waiting: { count: number };
  close(): Promise<void>;
}

async function start(frontTls: boolean, destinationTls: boolean): Promise<Bench> {
  const folder = await configFolder();
  const server = new Server();
  const cancelled: string[] = [];
  const waiting = { count: 0 };
  serve(server, cancelled, waiting);
  const secrets = destinationTls ? ServerCredentials.createSsl(null, [{ cert_chain: cert, private_key: key }]) : ServerCredentials.createInsecure();
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", secrets, (error, bound) => (error === null ? resolve(bound) : reject(error)));
  });
  await copyFile(fixture("cert.pem"), join(folder.path, "cert.pem"));
  await copyFile(fixture("key.pem"), join(folder.path, "key.pem"));
  const endpoint = frontTls
    ? { Url: "https://127.0.0.1:0", Certificate: { Path: "cert.pem", KeyPath: "key.pem" } }
    : { Url: "http://127.0.0.1:0", Protocols: "Http2" };
  const config = oneRoute(`${destinationTls ? "https" : "http"}://localhost:${port}`, { Server: { Endpoints: { Grpc: endpoint } } }) as {
    ReverseProxy: { Clusters: Record<string, Record<string, unknown>> };
  };
  Object.assign(config.ReverseProxy.Clusters["c"] as object, {
    HttpClient: { DangerousAcceptAnyServerCertificate: true },
    HttpRequest: { Version: "2", VersionPolicy: destinationTls ? "RequestVersionOrLower" : "RequestVersionExact" },
  });
  const gateway = await startGateway([await folder.write("gateway.json", config)], { urls: "" });
  const access: ChannelCredentials = frontTls ? credentials.createSsl(cert) : credentials.createInsecure();
  const client = new Client(`localhost:${gateway.port}`, access, { "grpc.ssl_target_name_override": "localhost", "grpc.enable_http_proxy": 0 });
  return {
    client,
    server,
    cancelled,
    waiting,
    async close() {
      client.close();
      server.forceShutdown();
      await gateway[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

const soon = (): Date => new Date(Date.now() + 100_000);

interface UnaryAnswer {
  readonly error: ServiceError | null;
  readonly value: string | undefined;
  readonly head: Metadata | undefined;
  readonly trailers: Metadata | undefined;
}

function unary(on: Client, message: string, deadline = soon(), metadata = new Metadata()): Promise<UnaryAnswer> & { cancel(): void } {
  let head: Metadata | undefined;
  let trailers: Metadata | undefined;
  const { unary: kind } = methods;
  let cancel = (): void => undefined;
  const answer = new Promise<UnaryAnswer>((resolve) => {
    const call = on.makeUnaryRequest(kind.path, kind.requestSerialize, kind.responseDeserialize, message, metadata, { deadline }, (error, value) => {
      // The trailers come with the status, which comes next.
      setImmediate(() => resolve({ error, value, head, trailers }));
    });
    call.on("metadata", (fields) => (head = fields));
    call.on("status", (end) => (trailers = end.metadata));
    cancel = () => call.cancel();
  });
  return Object.assign(answer, { cancel: () => cancel() });
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** All of a stream, or what it failed with. */
async function all(stream: AsyncIterable<string>): Promise<{ readonly messages: string[]; readonly error: ServiceError | undefined }> {
  const messages: string[] = [];
  try {
    for await (const message of stream) messages.push(message);
  } catch (error) {
    return { messages, error: error as ServiceError };
  }
  return { messages, error: undefined };
}

describe.each([
  ["h2c", "h2c", false, false],
  ["h2", "h2", true, true],
  ["h2c", "h2", false, true],
  ["h2", "h2c", true, false],
])("gRPC over %s to a destination over %s", (_front, _destination, frontTls, destinationTls) => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await start(frontTls, destinationTls);
  });
  afterAll(() => bench.close());
  beforeEach(() => {
    bench.cancelled.length = 0;
    bench.waiting.count = 0;
  });

  test("unary calls carry messages, metadata and trailers both ways", async () => {
    const metadata = new Metadata();
    metadata.set("x-asked", "this");
    const { error, value, head, trailers } = await unary(bench.client, "hello", soon(), metadata);
    expect([error, value]).toEqual([null, "hello!"]);
    expect([head?.get("x-head"), trailers?.get("x-trailer"), trailers?.get("x-bin-bin")]).toEqual([["this"], ["t"], [Buffer.from([0, 1, 255])]]);
  });

  test("errors are answers of trailers only, and keep code, text and metadata", async () => {
    const { error, head } = await unary(bench.client, "fail");
    expect([error?.code, error?.details, error?.metadata.get("why")]).toEqual([status.NOT_FOUND, "no such thing", ["asked to"]]);
    expect(head).toBeUndefined();
  });

  test("streams of the server, of the client and of both flow message by message", async () => {
    const { download, upload, both } = methods;
    const down = bench.client.makeServerStreamRequest(download.path, download.requestSerialize, download.responseDeserialize, "m", new Metadata(), { deadline: soon() });
    expect(await all(down)).toEqual({ messages: ["m0", "m1", "m2"], error: undefined });

    const sum = new Promise<string | undefined>((resolve) => {
      const up = bench.client.makeClientStreamRequest(upload.path, upload.requestSerialize, upload.responseDeserialize, new Metadata(), { deadline: soon() }, (_error, value) => resolve(value));
      for (let i = 0; i < 20; i++) up.write("x".repeat(10_000));
      up.end();
    });
    expect(await sum).toBe("200000");

    const duplex = bench.client.makeBidiStreamRequest(both.path, both.requestSerialize, both.responseDeserialize, new Metadata(), { deadline: soon() });
    const answers = duplex[Symbol.asyncIterator]() as AsyncIterator<string>;
    // Each message is answered before the next is said.
    for (const message of ["a", "b", "c"]) {
      duplex.write(message);
      expect((await answers.next()).value).toBe(`${message}?`);
    }
    duplex.end();
    expect((await answers.next()).done).toBe(true);
  });

  test("a stream that breaks keeps what came and its code", async () => {
    const { download } = methods;
    const down = bench.client.makeServerStreamRequest(download.path, download.requestSerialize, download.responseDeserialize, "break", new Metadata(), { deadline: soon() });
    const { messages, error } = await all(down);
    expect(messages.every((message) => message.startsWith("break"))).toBe(true);
    expect([error?.code, error?.details]).toEqual([status.DATA_LOSS, "broke"]);
  });

  test("a deadline that passes ends the call on both sides", async () => {
    // It has to pass while the call is at the destination: on a busy machine that takes a while.
    for (let patience = 150; bench.waiting.count === 0; patience *= 2) {
      const { error } = await unary(bench.client, "wait", new Date(Date.now() + patience));
      expect(error?.code).toBe(status.DEADLINE_EXCEEDED);
    }
    await until(() => bench.cancelled.length === bench.waiting.count);
  });

  test("a call that the client cancels is cancelled at the destination", async () => {
    const waiting = unary(bench.client, "wait");
    const { download, both } = methods;
    const down = bench.client.makeServerStreamRequest(download.path, download.requestSerialize, download.responseDeserialize, "endless ", new Metadata(), { deadline: soon() });
    const duplex = bench.client.makeBidiStreamRequest(both.path, both.requestSerialize, both.responseDeserialize, new Metadata(), { deadline: soon() });
    for (const stream of [down, duplex]) stream.on("error", () => undefined);
    duplex.write("a");
    await Promise.all([down, duplex].map((stream) => new Promise((resolve) => stream.once("data", resolve))));
    await until(() => bench.waiting.count === 1);
    waiting.cancel();
    down.cancel();
    duplex.cancel();
    expect((await waiting).error?.code).toBe(status.CANCELLED);
    await until(() => bench.cancelled.length === 3);
    expect(bench.cancelled.toSorted()).toEqual(["both", "download", "unary"]);
  });

  test("a destination that is gone in the middle of a call is an error for the client, and then UNAVAILABLE", async () => {
    const { both } = methods;
    const duplex = bench.client.makeBidiStreamRequest(both.path, both.requestSerialize, both.responseDeserialize, new Metadata(), { deadline: soon() });
    const ended = new Promise<ServiceError>((resolve) => duplex.on("error", (error) => resolve(error as ServiceError)));
    duplex.write("a");
    await new Promise((resolve) => duplex.once("data", resolve));
    bench.server.forceShutdown();
    expect([status.INTERNAL, status.UNAVAILABLE, status.CANCELLED, status.UNKNOWN]).toContain((await ended).code);
    expect((await unary(bench.client, "hello")).error?.code).toBe(status.UNAVAILABLE);
  });
});
