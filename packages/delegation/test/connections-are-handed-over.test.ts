import { createServer, type Server as HttpServer } from "node:http";
import { join } from "node:path";
import { createEngineServer, HeaderList, type AdoptingServer } from "@proxy/http";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createReceiver, type DelegationReceiver } from "../src/receiver/index.ts";
import { Client, privateDirectory, startGateway, type TestGateway } from "./delegating-gateway.ts";

let directory: Awaited<ReturnType<typeof privateDirectory>>;
let path: string;
const closers: (() => Promise<void> | void)[] = [];

beforeEach(async () => {
  directory = await privateDirectory();
  path = join(directory.path, "target.sock");
});

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  await directory.remove();
});

/** Answers with method, target and body. */
function echoHttp(): HttpServer {
  return createServer((request, response) => {
    let body = "";
    request.setEncoding("latin1").on("data", (text: string) => (body += text));
    request.on("end", () => {
      response.setHeader("From", request.socket.remoteAddress ?? "");
      response.end(`${request.method} ${request.url} [${body}]\n`);
    });
  });
}

function echoEngine(): AdoptingServer {
  const server = createEngineServer({
    handler(exchange) {
      const { method, target } = exchange.request;
      const headers = HeaderList.from([["From", exchange.connection.remoteAddress ?? ""]]);
      const answer = (body: string): void => exchange.response.send({ status: 200, headers }, `${method} ${target} [${body}]\n`);
      if (exchange.body === undefined) {
        answer("");
        return;
      }
      let body = "";
      exchange.body.read({ onData: (chunk) => void (body += Buffer.from(chunk).toString("latin1")), onEnd: () => answer(body), onError: () => undefined });
    },
  });
  closers.push(() => server.close(100));
  return server;
}

async function start(mode: "sticky" | "perRequest", kind: string): Promise<{ gateway: TestGateway; receiver: DelegationReceiver }> {
  const server = kind === "engine" ? echoEngine() : echoHttp();
  const receiver = await createReceiver({ path, server });
  closers.push(() => receiver.close());
  const gateway = await startGateway(path, mode);
  closers.push(() => gateway.close());
  return { gateway, receiver };
}

describe.each(["engine", "node:http"])("a receiver with a server of %s", (kind) => {
  test("answers a request itself, which the gateway has read the head of", async () => {
    const { gateway } = await start("perRequest", kind);
    const client = await Client.open(gateway.port);
    client.send("POST /a?b HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
    expect(await client.until("]\n")).toMatch(/^HTTP\/1.1 200 OK\r\n[^]*From: 127.0.0.1\r\n[^]*POST \/a\?b \[hello\]\n$/);
    client.close();
  });

  test("gets every request by the gateway in mode perRequest, and only the first in mode sticky", async () => {
    for (const mode of ["perRequest", "sticky"] as const) {
      const { gateway, receiver } = await start(mode, kind);
      const client = await Client.open(gateway.port);
      for (let i = 0; i < 5; i++) {
        client.send(`GET /${i} HTTP/1.1\r\nHost: x\r\n\r\n`);
        expect(await client.until("]\n")).toContain(`GET /${i} []`);
      }
      expect(gateway.delegated).toBe(mode === "sticky" ? 1 : 5);
      expect(receiver.counts.received).toBe(gateway.delegated);
      client.close();
      await receiver.close();
    }
  });

  test("answers requests that came at once one after the other, in order", async () => {
    const { gateway } = await start("perRequest", kind);
    const client = await Client.open(gateway.port);
    client.send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\nPOST /2 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nGET /3 HTTP/1.1\r\nHost: x\r\n\r\n");
    expect(await client.until("/3 []\n")).toMatch(/GET \/1 \[\]\n[^]*POST \/2 \[abc\]\n[^]*GET \/3 \[\]\n/);
    expect(gateway.delegated).toBe(3);
    client.close();
  });

  test("gets heads and bodies however they were split", async () => {
    const { gateway } = await start("perRequest", kind);
    const client = await Client.open(gateway.port);
    client.socket.setNoDelay(true);
    const text = "POST /split HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n0123456789GET /next HTTP/1.1\r\nHost: x\r\n\r\n";
    for (let at = 0; at < text.length; at += 7) {
      client.send(text.slice(at, at + 7));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await client.until("/next []\n")).toContain("POST /split [0123456789]");
    client.close();
  });

  test("ends the connection when the client wants it, and when the client has half-closed", async () => {
    const { gateway } = await start("perRequest", kind);
    const closing = await Client.open(gateway.port);
    closing.send("GET /1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    expect(await closing.until("]\n")).toContain("GET /1 []");
    await closing.end();
    const half = await Client.open(gateway.port);
    half.socket.end("GET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
    expect(await half.until("]\n")).toContain("GET /2 []");
    await half.end();
  });
});
