import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createReceiver, type DelegationReceiver } from "../src/receiver/index.ts";
import { Client, privateDirectory, startGateway, turnsUntil, type TestGateway } from "./delegating-gateway.ts";

let directory: Awaited<ReturnType<typeof privateDirectory>>;
const closers: (() => Promise<void> | void)[] = [];

beforeEach(async () => {
  directory = await privateDirectory();
});

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  await directory.remove();
});

async function start(server: Server): Promise<{ readonly gateway: TestGateway; readonly receiver: DelegationReceiver; readonly client: Client }> {
  const path = join(directory.path, "target.sock");
  const receiver = await createReceiver({ path, server });
  closers.push(() => receiver.close());
  const gateway = await startGateway(path, "perRequest");
  closers.push(() => gateway.close());
  const client = await Client.open(gateway.port);
  closers.push(() => client.close());
  return { gateway, receiver, client };
}

const get = (target: string): string => `GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`;

test("a handler may set on the socket of a request what it may set on any", async () => {
  const seen: unknown[] = [];
  const { client, gateway } = await start(
    createServer((request, response) => {
      const { socket } = request;
      request.setTimeout(60_000);
      response.setTimeout(60_000);
      seen.push(socket.timeout, socket.connecting, socket.bytesRead >= 0, socket.bytesWritten >= 0);
      seen.push(socket.setNoDelay(true) === socket, socket.setKeepAlive(true, 1000) === socket, socket.ref() === socket);
      expect(socket.address()).toMatchObject({ address: "127.0.0.1", port: gateway.port });
      response.end(`${request.url}\n`);
    }),
  );
  for (const target of ["/1", "/2"]) {
    client.send(get(target));
    expect(await client.until(`${target}\n`)).toMatch(/^HTTP\/1.1 200 /);
  }
  expect(seen).toEqual([60_000, false, true, true, true, true, true, 60_000, false, true, true, true, true, true]);
  expect(gateway.delegated).toBe(2);
});

test.each<[string, (server: Server, request: IncomingMessage, response: ServerResponse) => void]>([
  ["the server's", (server) => void server],
  ["the request's", (_server, request, response) => void request.setTimeout(20, () => response.destroy())],
  ["the response's", (_server, _request, response) => void response.setTimeout(20, () => response.destroy())],
])("a connection on which nothing moves ends after %s time", async (whose, set) => {
  const server = createServer((request, response) => set(server, request, response));
  if (whose === "the server's") server.timeout = 20;
  const { client, gateway, receiver } = await start(server);
  client.send(get("/never"));
  await client.end();
  expect(client.text).toBe("");
  await turnsUntil(() => gateway.server.connectionCount === 0 && receiver.connectionCount === 0);
});

test("the time that a server gives idle connections ends with their way back", async () => {
  const server = createServer((request, response) => {
    const answer = (): void => void response.end(`${request.url}\n`);
    // Longer than an idle connection may last there.
    if (request.url === "/2") setTimeout(answer, 100);
    else answer();
  });
  server.keepAliveTimeout = 10;
  server.keepAliveTimeoutBuffer = 0;
  const { client, receiver } = await start(server);
  client.send(get("/1"));
  await client.until("/1\n");
  await turnsUntil(() => receiver.keptCount === 1);
  client.send(get("/2"));
  await client.until("/2\n");
  expect(receiver.counts).toMatchObject({ received: 2, returned: 2 });
});
