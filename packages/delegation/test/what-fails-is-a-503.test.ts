import { chmod } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { createServer, type Socket } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createUnixCarrier } from "../src/index.ts";
import { createReceiver } from "../src/receiver/index.ts";
import { frame, frameKind } from "../src/unix/frames.ts";
import { Client, eachInPrivateDirectory, startGateway, turnsUntil } from "./delegating-gateway.ts";
import { startFalseTarget } from "./false-target.ts";

let directory: string;
let path: string;
const closers = eachInPrivateDirectory((own) => {
  directory = own;
  path = join(own, "target.sock");
});

const get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

async function codeOf(opening: unknown): Promise<string> {
  return (opening as Promise<unknown>).then(() => "opened", (error: { code: string }) => error.code);
}

test("a socket that is not there, and one that nobody listens at, are not found", async () => {
  const carrier = createUnixCarrier();
  expect(await codeOf(carrier.open(path))).toBe("NOT_FOUND");
  expect(await codeOf(carrier.open(join(directory, "none", "target.sock")))).toBe("NOT_FOUND");
});

test("a directory that others reach into is refused by both sides, and so is a second receiver", async () => {
  await chmod(directory, 0o755);
  expect(await codeOf(createUnixCarrier().open(path))).toBe("REFUSED");
  expect(await codeOf(createReceiver({ path, server: createHttpServer() }))).toBe("REFUSED");
  await chmod(directory, 0o700);
  const receiver = await createReceiver({ path, server: createHttpServer() });
  closers.push(() => receiver.close());
  expect(await codeOf(createReceiver({ path, server: createHttpServer() }))).toBe("REFUSED");
});

test("a process that speaks another version, or says nothing, is not attached to", async () => {
  const other = await startFalseTarget(path, { version: 99 });
  expect(await codeOf(createUnixCarrier().open(path))).toBe("REFUSED");
  await other.close();
  const mute = createServer().listen(path);
  await once(mute, "listening");
  expect(await codeOf(createUnixCarrier({ attachTimeout: 30 }).open(path))).toBe("FAILED");
  mute.close();
});

test("a process that goes before it has taken the connection leaves it to the gateway, which answers and closes", async () => {
  const target = await startFalseTarget(path, { onHandOver: (door) => door.destroy() });
  const gateway = await startGateway(path, "perRequest");
  closers.push(() => target.close(), () => gateway.close());
  const client = await Client.open(gateway.port);
  client.send(get);
  expect(await client.until("GONE")).toMatch(/^HTTP\/1.1 503 [^]*Connection: close/);
  await client.end();
  const second = await Client.open(gateway.port);
  second.send(get);
  // Nothing was sent this time: the connection may be used again.
  expect(await second.until("GONE")).not.toContain("Connection: close");
  second.send(get);
  await second.until("GONE");
  second.close();
});

test("a process that does not take connections is given up after its time", async () => {
  const target = await startFalseTarget(path);
  const gateway = await startGateway(path, "perRequest", { acceptTimeout: 60 });
  closers.push(() => target.close(), () => gateway.close());
  const client = await Client.open(gateway.port);
  client.send(get);
  expect(await client.until("BUSY")).toMatch(/^HTTP\/1.1 503 [^]*Connection: close/);
  await client.end();
});

test("what a process has not taken yet is bounded", async () => {
  let arrived = 0;
  const target = await startFalseTarget(path, { onHandOver: () => void arrived++ });
  const gateway = await startGateway(path, "perRequest", { backlog: 2 });
  closers.push(() => target.close(), () => gateway.close());
  const clients = await Promise.all([1, 2, 3].map(() => Client.open(gateway.port)));
  for (const client of clients.slice(1)) client.send(get);
  await turnsUntil(() => arrived === 2);
  clients[0]!.send(get);
  // Nothing of it was sent: the connection may be used again.
  const answer = await clients[0]!.until("BUSY");
  expect([answer.startsWith("HTTP/1.1 503 "), answer.includes("Connection: close")]).toEqual([true, false]);
  for (const client of clients) client.close();
});

test("a way that is closed while a connection is under way leaves it to the gateway, which answers and closes", async () => {
  let taken = (): void => undefined;
  const arrived = new Promise<void>((resolve) => (taken = resolve));
  const target = await startFalseTarget(path, { onHandOver: () => taken() });
  const gateway = await startGateway(path, "perRequest");
  closers.push(() => target.close(), () => gateway.close());
  const client = await Client.open(gateway.port);
  client.send(get);
  await arrived;
  gateway.handle.close();
  expect(await client.until("DISPOSED")).toMatch(/^HTTP\/1.1 503 [^]*Connection: close/);
  await client.end();
});

test("a client that resets while its connection is under way is found gone by whoever takes it", async () => {
  const arrivals: { door: Socket; id: number }[] = [];
  const target = await startFalseTarget(path, { onHandOver: (door, id) => void arrivals.push({ door, id }) });
  const gateway = await startGateway(path, "perRequest");
  closers.push(() => target.close(), () => gateway.close());
  for (const answer of [[frameKind.accepted, frameKind.finished], [frameKind.refused]]) {
    const client = await Client.open(gateway.port);
    client.send(get);
    await turnsUntil(() => arrivals.length > 0);
    client.socket.resetAndDestroy();
    const { door, id } = arrivals.pop()!;
    for (const kind of answer) door.write(frame(kind, id));
    await turnsUntil(() => gateway.server.connectionCount === 0);
  }
  expect([gateway.delegated, gateway.failures]).toEqual([1, ["BUSY"]]);
});

test("a process that refuses leaves the connection to the gateway, which goes on using it", async () => {
  const target = await startFalseTarget(path, { onHandOver: (door, id) => door.write(frame(frameKind.refused, id, Buffer.from("full"))) });
  const gateway = await startGateway(path, "perRequest");
  closers.push(() => target.close(), () => gateway.close());
  const client = await Client.open(gateway.port);
  for (let i = 0; i < 3; i++) {
    client.send(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nab`);
    client.send("c");
    expect(await client.until("BUSY")).not.toContain("Connection: close");
  }
  client.close();
});

test("a receiver with as many connections as it may have refuses more", async () => {
  const server = createHttpServer((_request, response) => response.end("ok\n"));
  const receiver = await createReceiver({ path, server, maxConnections: 1 });
  const gateway = await startGateway(path, "sticky");
  closers.push(() => receiver.close(), () => gateway.close(), () => server.closeAllConnections());
  const first = await Client.open(gateway.port);
  first.send(get);
  await first.until("ok\n");
  const second = await Client.open(gateway.port);
  second.send(get);
  expect(await second.until("BUSY")).toContain(" 503 ");
  expect(receiver.counts).toEqual({ received: 1, returned: 0, refused: 1 });
  first.close();
  second.close();
});

test("nonsense from the other process closes the way to it and nothing else", async () => {
  const target = await startFalseTarget(path, { onHandOver: (door) => door.write(Buffer.from("GET / HTTP/1.1\r\n\r\n")) });
  const gateway = await startGateway(path, "perRequest");
  closers.push(() => target.close(), () => gateway.close());
  const client = await Client.open(gateway.port);
  client.send(get);
  expect(await client.until("FAILED")).toContain(" 503 ");
  await client.end();
});
