/** What a process of the same user could do to a receiver: each is refused, and nothing of it stays. */
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { fileDescriptorOf } from "@proxy/http";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createReceiver, type DelegationReceiver } from "../src/receiver/index.ts";
import { frame, frameKind, handOverFrame, protocolVersion } from "../src/unix/frames.ts";
import { libc } from "../src/unix/libc.ts";
import { Client, privateDirectory, startGateway, turnsUntil } from "./delegating-gateway.ts";
import { attach, hello, openCarrier, openDoor, sendDescriptors } from "./false-gateway.ts";

let directory: Awaited<ReturnType<typeof privateDirectory>>;
let path: string;
let receiver: DelegationReceiver;
let faults: string[];
/** What the clients of the false gateways have come to. */
let front: Server;
let accepted: Set<Socket>;

beforeEach(async () => {
  directory = await privateDirectory();
  path = join(directory.path, "target.sock");
  faults = [];
  const server = createHttpServer((_request, response) => response.end("ok\n"));
  receiver = await createReceiver({ path, server, onFault: ({ message, cause }) => faults.push(cause instanceof Error ? cause.message : message) });
  accepted = new Set();
  front = createServer((socket) => {
    accepted.add(socket);
    socket.on("error", () => undefined).on("close", () => accepted.delete(socket)).resume();
  }).listen(0, "127.0.0.1");
  await once(front, "listening");
});

afterEach(async () => {
  for (const socket of accepted) socket.destroy();
  await receiver.close();
  front.close();
  await directory.remove();
});

async function openClient(): Promise<Socket> {
  const client = connect((front.address() as AddressInfo).port, "127.0.0.1");
  client.on("error", () => undefined);
  await once(client, "connect");
  return client;
}

/** That another gateway is served as ever. */
async function expectService(): Promise<void> {
  const gateway = await startGateway(path, "perRequest");
  const client = await Client.open(gateway.port);
  client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  await client.until("ok\n");
  client.close();
  await gateway.close();
}

const handOver = handOverFrame(1, { mode: "perRequest", hasDescriptor: true, bodyLength: 0, head: Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), rest: Buffer.alloc(0) });

test("descriptors without a request are not opened, and end with the gateway that sent them", async () => {
  const { door, carrier } = await attach(path);
  const clients = await Promise.all(Array.from({ length: 100 }, openClient));
  await turnsUntil(() => accepted.size === 100);
  const before = openFiles();
  for (const client of clients) expect(libc().sendDescriptor(fileDescriptorOf(carrier)!, fileDescriptorOf(client)!)).toBe(0);
  // Heard, and answered, after all of them.
  door.write(frame(frameKind.forget, 7));
  await expectService();
  expect([receiver.connectionCount, openFiles() <= before]).toEqual([0, true]);
  for (const client of clients) client.destroy();
  await turnsUntil(() => clients.every(({ closed }) => closed));
  // The system has a copy of each, on its way.
  expect(accepted.size).toBe(100);
  door.destroy();
  carrier.destroy();
  await turnsUntil(() => accepted.size === 0);
  expect(faults).toEqual([]);
});

test.skipIf(process.platform !== "linux")("of several descriptors in one message none is taken: the hand-over is refused, and all are closed (Linux: the message is laid out by hand)", async () => {
  const { door, carrier, next } = await attach(path);
  const clients = await Promise.all(Array.from({ length: 3 }, openClient));
  await turnsUntil(() => accepted.size === 3);
  const before = openFiles();
  sendDescriptors(fileDescriptorOf(carrier)!, clients.map((client) => fileDescriptorOf(client)!));
  door.write(handOver);
  expect(await next()).toMatchObject({ kind: frameKind.refused, id: 1 });
  expect([receiver.connectionCount, receiver.counts.refused, openFiles() <= before]).toEqual([0, 1, true]);
  for (const client of clients) client.destroy();
  await turnsUntil(() => accepted.size === 0);
  // The channel goes on: what comes next is in step.
  const client = await openClient();
  libc().sendDescriptor(fileDescriptorOf(carrier)!, fileDescriptorOf(client)!);
  door.write(handOver);
  expect(await next()).toMatchObject({ kind: frameKind.accepted, id: 1 });
  client.destroy();
  door.destroy();
  carrier.destroy();
  await turnsUntil(() => receiver.connectionCount === 0);
});

test("a byte that brings no descriptor ends the channel that it came over", async () => {
  const { door, carrier } = await attach(path);
  await new Promise((resolve) => carrier.write(Buffer.alloc(1), resolve));
  door.write(handOver);
  await turnsUntil(() => door.closed || door.readableEnded);
  expect([receiver.connectionCount, faults]).toEqual([0, [expect.stringContaining("no descriptor came")]]);
  door.destroy();
  carrier.destroy();
  await expectService();
});

test("a descriptor of what listens serves nobody, and is closed", async () => {
  const { door, carrier } = await attach(path);
  const before = openFiles();
  libc().sendDescriptor(fileDescriptorOf(carrier)!, (front as unknown as { readonly _handle: { readonly fd: number } })._handle.fd);
  door.write(handOver);
  await turnsUntil(() => receiver.counts.received === 1 && receiver.connectionCount === 0);
  expect(openFiles()).toBeLessThanOrEqual(before);
  door.destroy();
  carrier.destroy();
  await expectService();
});

test("first words that are too long, of another version or no words end the connection, and tell why", async () => {
  const [long, other, nonsense] = [await openDoor(path), await openDoor(path), await openDoor(path)];
  long.door.write(hello({ more: "a".repeat(1100) }));
  other.door.write(frame(frameKind.hello, 0, Buffer.from(JSON.stringify({ version: protocolVersion + 1 }))));
  nonsense.door.write(frame(frameKind.hello, 0, Buffer.from("{")));
  // The other version is told ours, so that it can say what is wrong.
  expect(JSON.parse((await other.next()).payload)).toEqual({ version: protocolVersion });
  await turnsUntil(() => [long, other, nonsense].every(({ door }) => door.readableEnded || door.closed));
  for (const { door } of [long, other, nonsense]) door.destroy();
  expect(faults.toSorted()).toEqual([
    expect.stringContaining("JSON"),
    expect.stringMatching(/^a frame of \d+ bytes$/),
    `a gateway speaks version ${protocolVersion + 1} of the protocol, this process ${protocolVersion}`,
  ]);
  await expectService();
});

test("a token opens one carrier: a second one, and one with a token that was not given, are closed", async () => {
  const { door, next } = await openDoor(path);
  door.write(hello({}));
  const { token } = JSON.parse((await next()).payload) as { token: string };
  const carrier = await openCarrier(path, token);
  expect((await next()).kind).toBe(frameKind.ready);
  for (const each of [token, "0".repeat(32), ""]) {
    const thief = await openDoor(path);
    thief.door.write(hello({ token: each }));
    await turnsUntil(() => thief.door.readableEnded || thief.door.closed);
    thief.door.destroy();
  }
  expect(carrier.destroyed).toBe(false);
  door.destroy();
  carrier.destroy();
});

test("a flood of connections is bounded: what is beyond is closed at once, and gateways are served when it is over", async () => {
  // Nobody is sent away for saying nothing meanwhile.
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const flood: Socket[] = [];
  /** Known to the receiver, whose answer is here. */
  const known = async (): Promise<void> => {
    const { door, next } = await openDoor(path);
    flood.push(door);
    door.write(hello({}));
    await next();
  };
  try {
    while (flood.length < 512) await Promise.all(Array.from({ length: 16 }, known));
    const first = flood.slice();
    const beyond = await Promise.all(Array.from({ length: 20 }, async () => (await openDoor(path)).door));
    flood.push(...beyond);
    await turnsUntil(() => beyond.every(({ readableEnded, closed }) => readableEnded || closed));
    expect(first.filter(({ readableEnded, closed }) => readableEnded || closed)).toEqual([]);
  } finally {
    for (const socket of flood) socket.destroy();
    vi.useRealTimers();
  }
  await turnsUntil(() => flood.every(({ closed }) => closed));
  await expectService();
});

function openFiles(): number {
  return process.platform === "linux" ? readdirSync("/proc/self/fd").length : 0;
}
