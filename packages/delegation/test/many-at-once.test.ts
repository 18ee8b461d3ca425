import type { Socket } from "node:net";
import { join } from "node:path";
import { createEngineServer, HeaderList } from "@proxy/http";
import { expect, test } from "vitest";
import { createReceiver } from "../src/receiver/index.ts";
import { frame, frameKind } from "../src/unix/frames.ts";
import { Client, eachInPrivateDirectory, startGateway, turnsUntil } from "./delegating-gateway.ts";
import { startFalseTarget } from "./false-target.ts";

let path: string;
const closers = eachInPrivateDirectory((directory) => (path = join(directory, "target.sock")));

const get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
/** Of which the target has heard at most when it has taken none. */
const sentAtMost = 128;

/** Clients that have sent a request each. */
async function crowd(port: number, count: number): Promise<readonly Client[]> {
  const clients = await Promise.all(Array.from({ length: count }, () => Client.open(port)));
  closers.push(() => {
    for (const client of clients) client.close();
  });
  for (const client of clients) client.send(get);
  return clients;
}

test("more requests at once than a target takes at a time wait for their turn, and none is refused", async () => {
  const arrived: [door: Socket, id: number][] = [];
  const target = await startFalseTarget(path, { onHandOver: (door, id) => void arrived.push([door, id]) });
  const gateway = await startGateway(path, "perRequest");
  closers.push(() => target.close(), () => gateway.close());
  const clients = await crowd(gateway.port, 300);
  let taken = 0;
  for (const end of [sentAtMost, 2 * sentAtMost, 300]) {
    await turnsUntil(() => arrived.length === end && gateway.delegated === taken);
    expect(gateway.failures).toEqual([]);
    for (; taken < end; taken++) {
      const [door, id] = arrived[taken]!;
      door.write(Buffer.concat([frame(frameKind.accepted, id), frame(frameKind.finished, id)]));
    }
  }
  await turnsUntil(() => clients.every(({ ended }) => ended));
  expect([gateway.delegated, gateway.failures, gateway.server.connectionCount]).toEqual([300, [], 0]);
});

test("all are answered by a target in order, again and again", async () => {
  const server = createEngineServer({ handler: ({ response }) => response.send({ status: 200, headers: new HeaderList() }, "taken\n") });
  const receiver = await createReceiver({ path, server, maxKeptConnections: 100 });
  const gateway = await startGateway(path, "perRequest");
  closers.push(() => server.close(100), () => receiver.close(), () => gateway.close());
  const clients = await crowd(gateway.port, 300);
  for (const client of clients) await client.until("taken\n");
  for (const client of clients) client.send(get);
  for (const client of clients) expect(await client.until("taken\n")).toMatch(/^HTTP\/1.1 200 /);
  expect(receiver.counts).toMatchObject({ received: 600, returned: 600, refused: 0 });
});

test("those that wait when the target goes are answered, and may use their connection again: nothing of them was sent", async () => {
  const doors: Socket[] = [];
  const target = await startFalseTarget(path, { onHandOver: (door) => void doors.push(door) });
  const gateway = await startGateway(path, "perRequest");
  closers.push(() => target.close(), () => gateway.close());
  const clients = await crowd(gateway.port, sentAtMost + 5);
  await turnsUntil(() => doors.length === sentAtMost);
  doors[0]!.destroy();
  for (const client of clients) await client.until("GONE");
  expect(gateway.failures).toHaveLength(sentAtMost + 5);
  const kept = (): readonly Client[] => clients.filter(({ ended }) => !ended);
  await turnsUntil(() => kept().length === 5 && gateway.server.connectionCount === 5);
  gateway.answersItself = true;
  for (const client of kept()) {
    client.send(get);
    await client.until("itself\n");
  }
});
