import { once } from "node:events";
import { createServer as createHttpsServer } from "node:https";
import { createServer as createHttp2Server, createSecureServer } from "node:http2";
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { createVersionedClient, type DestinationClient, type HttpClient, type HttpClientOptions } from "../../src/index.ts";
import { sendTo } from "../contract/destination-call.ts";
import { MemoryBody, until } from "../contract/recorders.ts";
import { cert, key } from "./http2-destination.ts";

type Kind = "https 1.1" | "https 2" | "https both" | "http 1.1" | "http 2";
type Policy = "RequestVersionOrLower" | "RequestVersionOrHigher" | "RequestVersionExact";

/** A destination of one kind that answers with the version it was asked in. */
class Destination {
  readonly sockets: Socket[] = [];
  readonly #server: Server;
  readonly #scheme: "http" | "https";

  constructor(kind: Kind) {
    const handler = (request: IncomingMessage, response: ServerResponse): void => {
      request.resume();
      request.on("end", () => response.end(request.httpVersion));
    };
    this.#scheme = kind.startsWith("https") ? "https" : "http";
    if (kind === "https 1.1") this.#server = createHttpsServer({ cert, key }, handler);
    else if (kind === "http 1.1") this.#server = createHttpServer(handler);
    else if (kind === "http 2") this.#server = createHttp2Server(handler as never) as unknown as Server;
    else this.#server = createSecureServer({ cert, key, allowHTTP1: kind === "https both" }, handler as never) as unknown as Server;
    this.#server.on(this.#scheme === "https" ? "secureConnection" : "connection", (socket: Socket) => {
      this.sockets.push(socket);
      socket.on("error", () => undefined);
    });
    this.#server.on("tlsClientError", () => undefined);
    this.#server.on("sessionError", () => undefined);
  }

  async listen(): Promise<this> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return this;
  }

  get origin(): Parameters<HttpClient["destination"]>[0] {
    return { scheme: this.#scheme, host: "127.0.0.1", port: (this.#server.address() as AddressInfo).port };
  }

  close(): void {
    for (const socket of this.sockets) socket.destroy();
    this.#server.close();
  }
}

const open: Destination[] = [];
let http: HttpClient | undefined;

afterEach(async () => {
  http?.destroy();
  await until(() => open.every((each) => each.sockets.every((socket) => socket.destroyed || socket.readableEnded)));
  for (const destination of open.splice(0)) destination.close();
});

async function destination(kind: Kind, options: HttpClientOptions = {}): Promise<{ readonly there: Destination; readonly client: DestinationClient }> {
  const there = await new Destination(kind).listen();
  open.push(there);
  http = createVersionedClient({ tls: { ca: cert }, timerInterval: 10, ...options } as HttpClientOptions);
  return { there, client: http.destination(there.origin) };
}

const lower = "RequestVersionOrLower";
const higher = "RequestVersionOrHigher";
const exact = "RequestVersionExact";
const failing = "fails";
/** Destination: what `1.1`, `2` and `3` come to, for each policy. */
const table: Readonly<Record<Kind, Readonly<Record<Policy, readonly [string, string, string]>>>> = {
  "https both": { [lower]: ["1.1", "2.0", "2.0"], [higher]: ["2.0", "2.0", failing], [exact]: ["1.1", "2.0", failing] },
  "https 1.1": { [lower]: ["1.1", "1.1", "1.1"], [higher]: ["1.1", failing, failing], [exact]: ["1.1", failing, failing] },
  "https 2": { [lower]: [failing, "2.0", "2.0"], [higher]: ["2.0", "2.0", failing], [exact]: [failing, "2.0", failing] },
  "http 1.1": { [lower]: ["1.1", "1.1", "1.1"], [higher]: ["1.1", failing, failing], [exact]: ["1.1", failing, failing] },
  "http 2": { [lower]: [failing, failing, failing], [higher]: [failing, "2.0", failing], [exact]: [failing, "2.0", failing] },
};

describe.each(Object.keys(table) as Kind[])("to a destination of %s", (kind) => {
  test.each([lower, higher, exact] as const)("%s chooses by the table", async (versionPolicy) => {
    const seen: string[] = [];
    for (const httpVersion of ["1.1", "2", "3"] as const) {
      const { client } = await destination(kind);
      const outcome = await sendTo(client, { httpVersion, versionPolicy }).result.then(
        ({ body, status }) => (status === 200 ? body : failing),
        () => failing,
      );
      seen.push(outcome);
      http?.destroy();
    }
    expect(seen).toEqual(table[kind][versionPolicy]);
  });
});

test("a request of single use goes over HTTP/1.1 on a connection that none shares, or not at all", async () => {
  const { there, client } = await destination("https both");
  expect((await sendTo(client).result).body).toBe("2.0");
  const singleUse = true;
  for (const [httpVersion, versionPolicy] of [["1.1", exact], ["2", lower], ["1.1", higher]] as const) {
    expect((await sendTo(client, { httpVersion, versionPolicy, singleUse }).result).body).toBe("1.1");
  }
  expect(there.sockets.length).toBe(4);
  for (const versionPolicy of [exact, higher] as const) {
    expect(await sendTo(client, { httpVersion: "2", versionPolicy, singleUse }).failure).toMatchObject({ versionUnavailable: true, requestSent: false, message: expect.stringContaining("HTTP/1.1 only") });
  }
  expect((await sendTo(client).result).body).toBe("2.0");
  expect(there.sockets.length).toBe(4);
});

test("nothing said about it is version 2 or lower", async () => {
  for (const [kind, version] of [["https both", "2.0"], ["http 1.1", "1.1"]] as const) {
    const { client } = await destination(kind);
    expect((await sendTo(client).result).body).toBe(version);
    http?.destroy();
  }
});

test("a connection on which TLS settles on HTTP/1.1 is used for the request, and for the next", async () => {
  const { there, client } = await destination("https 1.1");
  for (let i = 0; i < 3; i++) expect((await sendTo(client).result).body).toBe("1.1");
  expect(there.sockets.length).toBe(1);
});

test("requests that wait while TLS settles on HTTP/1.1 all go out, within maxConnections", async () => {
  const { there, client } = await destination("https 1.1", { maxConnections: 2 });
  const calls = Array.from({ length: 6 }, () => sendTo(client));
  for (const call of calls) expect((await call.result).body).toBe("1.1");
  expect(there.sockets.length).toBe(2);
});

test("one that was given up while TLS settled is not sent, and one that was paused stays so", async () => {
  const { client } = await destination("https 1.1");
  const body = new MemoryBody(["x"]);
  const left = sendTo(client, { body });
  const paused = sendTo(client);
  paused.call.pause();
  left.call.abort(new Error("client left"));
  await paused.responded;
  expect([body.started, left.finals, paused.size]).toEqual([false, 0, 0]);
  paused.call.resume();
  expect((await paused.result).body).toBe("1.1");
});

test("an origin of HTTP/1.1 is asked again once it has no connection left", async () => {
  const { there, client } = await destination("https 1.1");
  await sendTo(client).result;
  const { port } = there.origin;
  there.close();
  await until(() => there.sockets.every((socket) => socket.destroyed));
  const next = createSecureServer({ cert, key }, (_request, response) => void response.end("2.0"));
  next.listen(port, "127.0.0.1");
  await once(next, "listening");
  // The client may hear of the closed connection by a request.
  await sendTo(client).result.catch(() => undefined);
  expect((await sendTo(client).result).body).toBe("2.0");
  http?.destroy();
  next.close();
});

test("HTTP/2 asked for exactly says that it is not to be had, and the connection serves HTTP/1.1", async () => {
  const { there, client } = await destination("https 1.1");
  const asked = { httpVersion: "2", versionPolicy: exact } as const;
  expect(await sendTo(client, { ...asked, upgrade: "websocket" }).failure).toMatchObject({ versionUnavailable: true, requestSent: false, step: "connect" });
  expect((await sendTo(client, { httpVersion: "1.1", versionPolicy: exact }).result).body).toBe("1.1");
  expect(there.sockets.length).toBe(1);
});

test("HTTP/3 and nothing lower is refused at once", async () => {
  const { there, client } = await destination("https both");
  for (const versionPolicy of [exact, higher] as const) {
    const call = sendTo(client, { httpVersion: "3", versionPolicy });
    expect(call.error).toMatchObject({ source: "gateway", requestSent: false, versionUnavailable: true });
    call.call.abort(new Error("late"));
  }
  expect(there.sockets.length).toBe(0);
});

test("a certificate that nobody vouches for fails every version", async () => {
  const there = await new Destination("https both").listen();
  open.push(there);
  http = createVersionedClient();
  for (const httpVersion of ["1.1", "2"] as const) {
    const error = await sendTo(http.destination(there.origin), { httpVersion }).failure;
    expect(error).toMatchObject({ step: "connect", requestSent: false });
    expect(error.cause).toMatchObject({ code: "DEPTH_ZERO_SELF_SIGNED_CERT" });
  }
});

test("connections are opened ahead once TLS has settled", async () => {
  for (const [kind, count] of [["https 1.1", 3], ["https both", 1], ["http 1.1", 3]] as const) {
    const { there } = await destination(kind, { prewarm: 3 });
    await until(() => there.sockets.length === count);
    http?.destroy();
  }
});

test("a session is taken up again, whatever was spoken on it", async () => {
  const { there, client } = await destination("https both", { idleTimeout: 20 });
  await sendTo(client).result;
  await until(() => there.sockets[0]?.destroyed === true);
  await sendTo(client, { httpVersion: "1.1" }).result;
  expect((there.sockets[1] as Socket & { isSessionReused(): boolean }).isSessionReused()).toBe(true);
});
