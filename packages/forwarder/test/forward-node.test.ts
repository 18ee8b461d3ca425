import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { bytesBody, createEngineClient, type HttpClient } from "@proxy/http";
import { afterEach, expect, test } from "vitest";
// @boundaries-ignore the suite lives with its interface
import { RawClient } from "../../http/test/contract/raw-client.ts";
import { forwardNode, type ForwarderError } from "../src/index.ts";
import { RawDestination } from "./doubles/raw-destination.ts";

const closers: (() => void | Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

async function listen(listener: RequestListener): Promise<RawClient> {
  const server: Server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = await RawClient.open((server.address() as AddressInfo).port);
  closers.push(() => {
    client.destroy();
    server.closeAllConnections();
    server.close();
  });
  return client;
}

async function destination(): Promise<{ readonly there: RawDestination; readonly http: HttpClient }> {
  const there = await RawDestination.open();
  const http = createEngineClient();
  closers.push(() => there.close(), () => http.destroy());
  return { there, http };
}

test("fields set on the response before come first, and its Strict-Transport-Security wins", async () => {
  const { there, http } = await destination();
  const client = await listen((req, res) => {
    res.setHeader("Strict-Transport-Security", "max-age=1");
    res.setHeader("Set-Cookie", ["a=1", "b=2"]);
    void forwardNode(req, res, there.prefix, http);
  });
  client.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const connection = await there.accept();
  await connection.readUntil("\r\n\r\n");
  connection.write("HTTP/1.1 200 OK\r\nStrict-Transport-Security: max-age=2\r\nSet-Cookie: c=3\r\nContent-Length: 2\r\n\r\nok");
  const response = await client.readResponse();
  const own = response.headers.filter(([name]) => /^(s|set-)/iu.test(name));
  expect(own).toEqual([
    ["Strict-Transport-Security", "max-age=1"],
    ["Set-Cookie", "a=1"],
    ["Set-Cookie", "b=2"],
    ["Set-Cookie", "c=3"],
  ]);
  expect(response.body.toString()).toBe("ok");
});

test("they go with a failure before the head and not with one after it", async () => {
  const { there, http } = await destination();
  const client = await listen((req, res) => {
    res.setHeader("X-Own", "1");
    void forwardNode(req, res, there.prefix, http);
  });
  client.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  (await there.accept()).reset();
  const before = await client.readResponse();
  expect([before.status, before.header("x-own")]).toEqual([502, "1"]);
});

test("a request that no proxy can pass on is refused and named", async () => {
  const { there, http } = await destination();
  let outcome: Promise<ForwarderError | undefined> | undefined;
  const client = await listen((req, res) => {
    outcome = forwardNode(req, res, there.prefix, http);
  });
  client.write("GET http://[::1 HTTP/1.1\r\nHost: a\r\n\r\n");
  expect((await client.readResponse()).status).toBe(400);
  expect(await outcome).toMatchObject({ code: "RequestCreation", source: "client", status: 400 });
  expect(there.connections).toHaveLength(0);
});

test("a response that is answered already is refused", async () => {
  const { there, http } = await destination();
  let outcome: Promise<unknown> | undefined;
  const client = await listen((req, res) => {
    res.writeHead(200, { "Content-Length": 2 });
    res.end("me");
    outcome = forwardNode(req, res, there.prefix, http);
    outcome.catch(() => {});
  });
  client.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  expect((await client.readResponse()).body.toString()).toBe("me");
  await expect(outcome).rejects.toThrow("answered already");
});

test("a body that a parser has read goes on with the length that it has now", async () => {
  const { there, http } = await destination();
  const client = await listen((req, res) => {
    const chunks: Buffer[] = [];
    req.on("data", (chunk: Buffer) => chunks.push(chunk));
    req.on("end", () => {
      const parsed = JSON.parse(Buffer.concat(chunks).toString()) as object;
      void forwardNode(req, res, there.prefix, http, { body: bytesBody(JSON.stringify({ ...parsed, seen: true })) });
    });
  });
  for (const framing of ["Content-Length: 9\r\n\r\n{ \"a\":1 }", "Transfer-Encoding: chunked\r\n\r\n9\r\n{ \"a\":1 }\r\n0\r\n\r\n"]) {
    client.write(`POST /x HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n${framing}`);
    const connection = there.connections[0] ?? (await there.accept());
    expect(await connection.readUntil('{"a":1,"seen":true}')).toContain("Content-Length: 19\r\n");
    connection.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    expect((await client.readResponse("POST")).body.toString()).toBe("ok");
  }
});
