import { createServer, type Server as HttpServer } from "node:http";
import { join } from "node:path";
import { createEngineServer, HeaderList, type AdoptingServer } from "@proxy/http";
import { describe, expect, test } from "vitest";
import { createReceiver, type DelegationReceiver } from "../src/receiver/index.ts";
import { Client, eachInPrivateDirectory, startGateway, type TestGateway } from "./delegating-gateway.ts";

let path: string;
const closers = eachInPrivateDirectory((directory) => (path = join(directory, "target.sock")));

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Answers with method, target and body; and as `/204`, `/chunks` and `/early` say. */
function echoHttp(): HttpServer {
  return createServer((request, response) => {
    if (request.url === "/204") return void response.writeHead(204).end();
    if (request.url === "/early") return void response.writeHead(413, { "Content-Length": 6 }).end("early\n");
    if (request.url === "/chunks") {
      response.write("one");
      return void response.end("two");
    }
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
      const { response } = exchange;
      if (target === "/204") return response.send({ status: 204, headers: new HeaderList() });
      if (target === "/early") return response.send({ status: 413, headers: new HeaderList() }, "early\n");
      if (target === "/chunks") {
        response.start({ status: 200, headers: new HeaderList() });
        response.write(Buffer.from("one"));
        response.write(Buffer.from("two"));
        return response.end();
      }
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
      await turn();
    }
    expect(await client.until("/next []\n")).toContain("POST /split [0123456789]");
    // One connection, and all of its requests in two parts, the second when the first was seen.
    const requests = ["POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", "POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"];
    for (const request of requests) {
      for (let at = 1; at < request.length; at++) {
        client.send(request.slice(0, at));
        await turn();
        client.send(request.slice(at));
        expect(await client.until("]\n")).toContain("POST /x [abc]");
      }
    }
    client.close();
  });

  test("answers without a body, in chunks, and before the request is over", async () => {
    const { gateway, receiver } = await start("perRequest", kind);
    const client = await Client.open(gateway.port);
    for (let round = 0; round < 2; round++) {
      client.send("HEAD /head HTTP/1.1\r\nHost: x\r\n\r\n");
      expect(await client.until("\r\n\r\n")).toMatch(/^HTTP\/1.1 200 /);
      client.send("GET /204 HTTP/1.1\r\nHost: x\r\n\r\n");
      expect(await client.until("\r\n\r\n")).toMatch(/^HTTP\/1.1 204 /);
      client.send("GET /chunks HTTP/1.1\r\nHost: x\r\n\r\n");
      expect(await client.until("\r\n0\r\n\r\n")).toMatch(/^HTTP\/1.1 200 OK\r\n[^]*Transfer-Encoding: chunked\r\n[^]*one[^]*two/i);
      client.send("POST /100 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
      expect(await client.until("\r\n\r\n")).toMatch(/^HTTP\/1.1 100 /);
      client.send("abc");
      await client.until("POST /100 [abc]\n");
    }
    expect(receiver.counts).toMatchObject({ received: 8, returned: 8 });
    client.send("POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nab");
    expect(await client.until("early\n")).toMatch(/^HTTP\/1.1 413 /);
    client.send("cdefghij");
    if (kind === "engine") {
      client.send("GET /after HTTP/1.1\r\nHost: x\r\n\r\n");
      await client.until("/after []\n");
      client.close();
    } else {
      // Its parser cannot be told where the rest of the body ends.
      await client.end();
    }
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
