import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import { createEngineClient, type DestinationTlsOptions, type HttpClient } from "@proxy/http";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { emptyTransformer, forward, type ForwarderError } from "../src/index.ts";
import { createUndiciClient } from "../src/undici/index.ts";
import { FakeExchange } from "./doubles/fake-exchange.ts";

/** Self-signed, for localhost and 127.0.0.1; good for nothing but these tests. */
const cert = readFileSync(new URL("tls/cert.pem", import.meta.url), "utf8");
const key = readFileSync(new URL("tls/key.pem", import.meta.url), "utf8");

let server: Server;
const sockets = new Set<TLSSocket>();
const names: (string | false | null | undefined)[] = [];

beforeAll(async () => {
  server = createServer({ cert, key, ALPNProtocols: ["h2", "http/1.1"] }, (socket) => {
    sockets.add(socket);
    names.push(socket.servername);
    socket.on("error", () => {});
    socket.on("data", () => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
  });
  server.on("tlsClientError", () => {});
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});

afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  server.close();
  await once(server, "close");
});

describe.each([
  ["engine", createEngineClient],
  ["undici", createUndiciClient],
] as const)("a destination over TLS (%s client)", (_, create) => {
  const clients: HttpClient[] = [];

  afterEach(() => {
    for (const client of clients.splice(0)) client.destroy();
    sockets.clear();
    names.length = 0;
  });

  async function send(client: HttpClient, host: string, authority: string): Promise<[ForwarderError | undefined, string]> {
    const { port } = server.address() as AddressInfo;
    const exchange = new FakeExchange({ authority });
    const error = await forward(exchange, `https://${host}:${port}`, client, { transformer: emptyTransformer });
    // A client may take its connection back a turn after the answer.
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    return [error, exchange.response.body];
  }

  function make(tls: DestinationTlsOptions): HttpClient {
    const client = create({ tls });
    clients.push(client);
    return client;
  }

  test("is checked by its own name, whatever Host the client sent, and used again for every Host", async () => {
    const client = make({ ca: cert });
    expect(await send(client, "localhost", "one.example")).toEqual([undefined, "ok"]);
    expect(await send(client, "localhost", "two.example")).toEqual([undefined, "ok"]);
    expect(names).toEqual(["localhost"]);
  });

  test("by address has no name in its handshake and is checked by address", async () => {
    const client = make({ ca: cert });
    expect(await send(client, "127.0.0.1", "one.example")).toEqual([undefined, "ok"]);
    expect(names).toEqual([false]);
  });

  test("whose certificate nobody vouches for is a 502, safe to send again", async () => {
    const [error] = await send(make({}), "localhost", "a");
    expect([error?.code, error?.retry, error?.status]).toEqual(["Request", "safe", 502]);
  });

  test("whose certificate is for another name is a 502", async () => {
    const [error] = await send(make({ ca: cert, serverName: "other.example" }), "localhost", "a");
    expect([error?.code, error?.retry]).toEqual(["Request", "safe"]);
  });

  test("is taken as it is when the settings say so", async () => {
    const client = make({ acceptAnyCertificate: true, serverName: "other.example" });
    expect(await send(client, "localhost", "a")).toEqual([undefined, "ok"]);
    expect(names).toEqual(["other.example"]);
  });
});
