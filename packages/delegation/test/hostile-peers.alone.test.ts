/** What the two processes could say to one another if one of them meant harm, or were mad: the other goes on. */
import { once } from "node:events";
import { closeSync, openSync, readdirSync } from "node:fs";
import { createServer as createHttpServer, type Server as HttpServer } from "node:http";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { join } from "node:path";
import { fileDescriptorOf } from "@proxy/http";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { createReceiver, type DelegationReceiver } from "../src/receiver/index.ts";
import { frame, frameKind, handBackFrame, handOverFrame } from "../src/unix/frames.ts";
import { libc } from "../src/unix/libc.ts";
import { Client, eachInPrivateDirectory, startGateway, turnsUntil } from "./delegating-gateway.ts";
import { attach } from "./false-gateway.ts";
import { startFalseTarget } from "./false-target.ts";

let path: string;
const closers = eachInPrivateDirectory((directory) => (path = join(directory, "target.sock")));

const get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const payload = fc.uint8Array({ maxLength: 60 }).map((each) => Buffer.from(each));
/** Beside that of the hand-over. */
const strayId = fc.constantFrom(0, 1, 2, 7, 0xffff_ffff);

/** Bytes of a target, given the number of the hand-over that it got. */
const said = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(frameKind.accepted, frameKind.refused, frameKind.finished, frameKind.missing, frameKind.dropped, frameKind.kept, frameKind.closing).map((kind) => (id: number) => frame(kind, id)) },
  fc.tuple(fc.integer({ min: 0, max: 255 }), strayId, payload).map(([kind, stray, bytes]) => () => frame(kind, stray, bytes)),
  { weight: 2, arbitrary: fc.tuple(fc.boolean(), fc.constantFrom("", get, "nonsense\r\n\r\n")).map(([keepsCopy, rest]) => (id: number) => handBackFrame(id, { keepsCopy, rest: Buffer.from(rest) })) },
  payload.map((bytes) => () => bytes),
);

test("whatever a target says, the gateway goes on, and no connection of a client hangs once the target is gone", async () => {
  await fc.assert(fc.asyncProperty(fc.array(said, { minLength: 1, maxLength: 6 }), async (words) => {
    let handOvers = 0;
    const target = await startFalseTarget(path, {
      onHandOver(door, id) {
        // Bytes that come back may be a request again, and so for ever.
        if (++handOvers > 8) return void door.destroy();
        for (const word of words) door.write(word(id));
        door.end();
      },
    });
    const gateway = await startGateway(path, "perRequest");
    const client = await Client.open(gateway.port);
    client.send(get);
    await turnsUntil(() => handOvers > 0);
    await target.close();
    // It is answered, closed, or as it was before its request: in any case it is the gateway's, which ends it when the client does.
    client.socket.end();
    await turnsUntil(() => gateway.server.connectionCount === 0);
    client.close();
    gateway.answersItself = true;
    const next = await Client.open(gateway.port);
    next.send(get);
    await next.until("itself\n");
    next.close();
    await gateway.close();
  }), { numRuns: 60, endOnFailure: true });
});

const handOver = fc.record({
  mode: fc.constantFrom("sticky" as const, "perRequest" as const),
  hasDescriptor: fc.boolean(),
  bodyLength: fc.constantFrom(-1, 0, 3, 5000),
  head: fc.constantFrom("", get, "nonsense", "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: y\r\nConnection: upgrade\r\n\r\n").map((text) => Buffer.from(text)),
  rest: fc.constantFrom("", get, "abc").map((text) => Buffer.from(text)),
});

const act = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(strayId, handOver).map(([id, given]) => ({ send: "nothing", bytes: handOverFrame(id, given) })) },
  { weight: 3, arbitrary: fc.tuple(strayId, handOver).map(([id, given]) => ({ send: "connection", bytes: handOverFrame(id, { ...given, hasDescriptor: true }) })) },
  fc.tuple(strayId, handOver).map(([id, given]) => ({ send: "file", bytes: handOverFrame(id, { ...given, hasDescriptor: true }) })),
  fc.constantFrom("connection", "file").map((send) => ({ send, bytes: Buffer.alloc(0) })),
  strayId.map((id) => ({ send: "nothing", bytes: frame(frameKind.forget, id) })),
  fc.tuple(fc.integer({ min: 0, max: 255 }), strayId, payload).map(([kind, id, bytes]) => ({ send: "nothing", bytes: frame(kind, id, bytes) })),
  payload.map((bytes) => ({ send: "nothing", bytes })),
);

test("whatever a gateway says and sends, the receiver goes on for others, and keeps nothing of it", async () => {
  const server: HttpServer = createHttpServer((_request, response) => response.end("ok\n"));
  const faults: string[] = [];
  const receiver: DelegationReceiver = await createReceiver({ path, server, maxConnections: 20, onFault: ({ message }) => faults.push(message) });
  closers.push(() => receiver.close());
  const accepted = new Set<Socket>();
  const origin = createServer((socket) => {
    accepted.add(socket);
    socket.on("error", () => undefined).on("close", () => accepted.delete(socket)).resume();
  }).listen(0, "127.0.0.1");
  await once(origin, "listening");
  closers.push(() => void origin.close());
  const before = openFiles();
  await fc.assert(fc.asyncProperty(fc.array(act, { minLength: 1, maxLength: 8 }), async (acts) => {
    const { door, carrier } = await attach(path);
    const held: Socket[] = [];
    for (const { send, bytes } of acts) {
      const channel = fileDescriptorOf(carrier);
      if (channel === undefined || door.destroyed) break;
      if (send === "connection") {
        const client = connect((origin.address() as AddressInfo).port, "127.0.0.1");
        client.on("error", () => undefined);
        await once(client, "connect");
        held.push(client);
        libc().sendDescriptor(channel, fileDescriptorOf(client)!);
      } else if (send === "file") {
        const fd = openSync("/dev/null", "r");
        libc().sendDescriptor(channel, fd);
        closeSync(fd);
      }
      if (bytes.length > 0) door.write(bytes);
    }
    // All that was said is heard before the end is.
    door.end();
    await turnsUntil(() => door.destroyed || door.readableEnded || door.closed);
    door.destroy();
    carrier.destroy();
    for (const socket of [...held, ...accepted]) socket.destroy();
    server.closeAllConnections();
    await turnsUntil(() => receiver.connectionCount === 0 && receiver.keptCount === 0);
  }), { numRuns: 80, endOnFailure: true });
  const gateway = await startGateway(path, "perRequest");
  const client = await Client.open(gateway.port);
  client.send(get);
  await client.until("ok\n");
  client.close();
  await gateway.close();
  await turnsUntil(() => openFiles() <= before);
  expect(faults.length).toBeGreaterThan(0);
});

function openFiles(): number {
  return process.platform === "linux" ? readdirSync("/proc/self/fd").length : 0;
}
