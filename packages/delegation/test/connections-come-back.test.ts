import { createServer, type Server as HttpServer, type ServerResponse } from "node:http";
import { once } from "node:events";
import { join } from "node:path";
import { createEngineServer, HeaderList, type AdoptingServer } from "@proxy/http";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createReceiver, type DelegationReceiver, type ReceiverOptions } from "../src/receiver/index.ts";
import { frame, frameKind, handBackFrame } from "../src/unix/frames.ts";
import { Client, privateDirectory, startGateway, turnsUntil, type TestGateway } from "./delegating-gateway.ts";
import { startFalseTarget } from "./false-target.ts";

const kinds = ["engine", "engine that reads by events", "node:http"];

let directory: Awaited<ReturnType<typeof privateDirectory>>;
let path: string;
const closers: (() => Promise<void> | void)[] = [];
/** Of requests for `/later`: ends their answers, of which the head and a first part are out. */
const unfinished: (() => void)[] = [];

beforeEach(async () => {
  directory = await privateDirectory();
  path = join(directory.path, "target.sock");
});

afterEach(async () => {
  unfinished.length = 0;
  for (const close of closers.splice(0).reverse()) await close();
  await directory.remove();
});

function httpServer(): HttpServer {
  const answer = (target: string, response: ServerResponse): void => {
    if (target !== "/later") {
      response.end(`${target}\n`);
      return;
    }
    response.writeHead(200, { "Content-Length": 12 });
    response.write("begun\n");
    unfinished.push(() => response.end("ended\n"));
  };
  return createServer((request, response) => answer(request.url ?? "", response));
}

function engineServer(reuseReadMemory = true): AdoptingServer {
  const server = createEngineServer({
    reuseReadMemory,
    handler({ request, response }) {
      if (request.target !== "/later") {
        response.send({ status: 200, headers: new HeaderList() }, `${request.target}\n`);
        return;
      }
      response.start({ status: 200, headers: HeaderList.from([["Content-Length", "12"]]) });
      response.write(Buffer.from("begun\n"));
      unfinished.push(() => {
        response.write(Buffer.from("ended\n"));
        response.end();
      });
    },
  });
  closers.push(() => server.close(100));
  return server;
}

async function start(kind: string, options: Partial<ReceiverOptions> = {}): Promise<{ gateway: TestGateway; receiver: DelegationReceiver }> {
  const receiver = await createReceiver({ path, server: kind === "node:http" ? httpServer() : engineServer(kind === "engine"), ...options });
  closers.push(() => receiver.close());
  const gateway = await startGateway(path, "perRequest");
  closers.push(() => gateway.close());
  return { gateway, receiver };
}

const get = (target: string): string => `GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`;

async function ask(client: Client, target: string): Promise<void> {
  client.send(get(target));
  expect(await client.until(`${target}\n`)).toMatch(/^HTTP\/1.1 200 /);
}

/** Begins an answer that `unfinished` ends. */
async function begin(client: Client): Promise<void> {
  client.send(get("/later"));
  await client.until("begun\n");
}

describe.each(kinds)("a connection that a server (%s) gave back", (kind) => {
  test("is kept there for its next request, as the same connection here", async () => {
    const { gateway, receiver } = await start(kind);
    const client = await Client.open(gateway.port);
    for (let i = 0; i < 5; i++) await ask(client, `/${i}`);
    expect({ ...receiver.counts, kept: receiver.keptCount, served: receiver.connectionCount }).toEqual({ received: 5, returned: 5, refused: 0, kept: 1, served: 0 });
    expect(gateway.server.connectionCount).toBe(1);
    expect(new Set(gateway.connectionIds).size).toBe(1);
    client.close();
    await turnsUntil(() => receiver.keptCount === 0 && gateway.server.connectionCount === 0);
  });

  test.each([0, 1, 2])("is dropped for others where %i may be kept, and comes again all the same", async (maxKeptConnections) => {
    const { gateway, receiver } = await start(kind, { maxKeptConnections });
    const clients = await Promise.all([1, 2, 3].map(() => Client.open(gateway.port)));
    for (let round = 0; round < 4; round++) {
      await Promise.all(clients.map((client, i) => ask(client, `/${round}-${i}`)));
      expect(receiver.keptCount).toBeLessThanOrEqual(maxKeptConnections);
    }
    expect(receiver.counts).toMatchObject({ received: 12, returned: 12 });
    for (const client of clients) client.close();
    await turnsUntil(() => receiver.keptCount === 0 && gateway.server.connectionCount === 0);
  });

  test("is served here in between, and ended here", async () => {
    const { gateway, receiver } = await start(kind);
    const client = await Client.open(gateway.port);
    await ask(client, "/1");
    gateway.answersItself = true;
    client.send(get("/2"));
    await client.until("itself\n");
    gateway.answersItself = false;
    await ask(client, "/3");
    gateway.answersItself = true;
    client.send("GET /4 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    await client.until("itself\n");
    await client.end();
    await turnsUntil(() => receiver.keptCount === 0 && gateway.server.connectionCount === 0);
  });

  test("stays there when it comes again in mode sticky", async () => {
    const { gateway, receiver } = await start(kind);
    const client = await Client.open(gateway.port);
    await ask(client, "/1");
    gateway.mode = "sticky";
    for (const target of ["/2", "/3", "/4"]) await ask(client, target);
    expect({ ...receiver.counts, kept: receiver.keptCount, served: receiver.connectionCount }).toEqual({ received: 2, returned: 1, refused: 0, kept: 0, served: 1 });
    await turnsUntil(() => gateway.server.connectionCount === 0);
    client.close();
    await turnsUntil(() => receiver.connectionCount === 0);
  });

  test("goes to several processes in turn", async () => {
    const { gateway, receiver } = await start(kind);
    const other = await createReceiver({ path: `${path}2`, server: httpServer() });
    closers.push(() => other.close());
    const second = await gateway.alsoTo(`${path}2`);
    const client = await Client.open(gateway.port);
    for (let i = 0; i < 6; i++) {
      second.isChosen = i % 2 === 1;
      await ask(client, `/${i}`);
    }
    expect([receiver.counts.received, other.counts.received, receiver.keptCount, other.keptCount]).toEqual([3, 3, 1, 1]);
    client.close();
    await turnsUntil(() => receiver.keptCount + other.keptCount + gateway.server.connectionCount === 0);
  });
});

test.each(kinds)("a connection that goes to process after process (%s) gathers nothing from them", async (kind) => {
  const warnings: Error[] = [];
  const warned = (warning: Error): void => void warnings.push(warning);
  process.on("warning", warned);
  closers.push(() => void process.off("warning", warned));
  const { gateway, receiver } = await start(kind);
  const client = await Client.open(gateway.port);
  for (let round = 0; round < 30; round++) {
    const again = await gateway.alsoTo(path);
    again.isChosen = true;
    await ask(client, `/${round}`);
    again.isChosen = false;
    await ask(client, "/between");
    again.handle.close();
    await turnsUntil(() => receiver.keptCount === 1);
  }
  expect(warnings).toEqual([]);
  client.close();
});

describe.each(kinds)("an answer that a server (%s) has begun", (kind) => {
  test("ends whole when the receiver closes, and the connection with it", async () => {
    const { gateway, receiver } = await start(kind);
    const [client, idle] = [await Client.open(gateway.port), await Client.open(gateway.port)];
    await ask(idle, "/idle");
    await ask(client, "/1");
    await begin(client);
    await receiver.close();
    await turnsUntil(() => gateway.server.connectionCount === 1);
    unfinished.pop()?.();
    await client.until("ended\n");
    await client.end();
    // What it did not serve is the gateway's as before.
    idle.send(get("/2"));
    expect(await idle.until("GONE")).toMatch(/^HTTP\/1.1 503 /);
    idle.close();
  });

  test("ends whole when the queue is closed by the gateway", async () => {
    const { gateway, receiver } = await start(kind);
    const client = await Client.open(gateway.port);
    await begin(client);
    gateway.handle.close();
    await turnsUntil(() => gateway.server.connectionCount === 0);
    unfinished.pop()?.();
    await client.until("ended\n");
    await client.end();
    await turnsUntil(() => receiver.connectionCount === 0);
  });

  test("ends whole when the gateway shuts down", async () => {
    const { gateway, receiver } = await start(kind);
    const client = await Client.open(gateway.port);
    await ask(client, "/1");
    await begin(client);
    await gateway.server.close(60_000);
    unfinished.pop()?.();
    await client.until("ended\n");
    await client.end();
    await turnsUntil(() => receiver.connectionCount === 0);
  });

  test("is over for both sides when the client goes", async () => {
    const { gateway, receiver } = await start(kind);
    for (const how of ["close", "reset"] as const) {
      const client = await Client.open(gateway.port);
      await ask(client, "/1");
      await begin(client);
      if (how === "reset") client.socket.resetAndDestroy();
      else client.close();
      await turnsUntil(() => {
        unfinished.pop()?.();
        return receiver.connectionCount + receiver.keptCount + gateway.server.connectionCount === 0;
      });
    }
  });
});

test("a server of engine that is closing answers what is handed to it, and ends the connection", async () => {
  const server = engineServer();
  const receiver = await createReceiver({ path, server });
  closers.push(() => receiver.close());
  const gateway = await startGateway(path, "perRequest");
  closers.push(() => gateway.close());
  const [before, after] = [await Client.open(gateway.port), await Client.open(gateway.port)];
  await ask(before, "/1");
  await server.close(0);
  for (const client of [before, after]) {
    client.send(get("/2"));
    expect(await client.until("/2\n")).toMatch(/^HTTP\/1.1 200 [^]*Connection: close\r\n/);
    await client.end();
  }
  await turnsUntil(() => receiver.connectionCount + receiver.keptCount + gateway.server.connectionCount === 0);
});

describe("a process that dies", () => {
  test("leaves connections that it was answering to be reset, and others as they are", async () => {
    let doorOf: { destroy(): void } | undefined;
    const target = await startFalseTarget(path, {
      onHandOver(door, id) {
        doorOf = door;
        door.write(frame(frameKind.accepted, id));
      },
    });
    const gateway = await startGateway(path, "perRequest");
    closers.push(() => target.close(), () => gateway.close());
    const [lent, idle] = [await Client.open(gateway.port), await Client.open(gateway.port)];
    gateway.answersItself = true;
    idle.send(get("/"));
    await idle.until("itself\n");
    gateway.answersItself = false;
    lent.send(get("/"));
    await turnsUntil(() => gateway.delegated === 1);
    const failed = once(lent.socket, "error");
    doorOf?.destroy();
    expect(await failed).toMatchObject([{ code: "ECONNRESET" }]);
    gateway.answersItself = true;
    idle.send(get("/"));
    await idle.until("itself\n");
    idle.close();
  });

  test("leaves bytes that it gave back to be served", async () => {
    const target = await startFalseTarget(path, {
      onHandOver(door, id) {
        gateway.answersItself = true;
        door.write(Buffer.concat([frame(frameKind.accepted, id), handBackFrame(id, { keepsCopy: false, rest: Buffer.from(get("/given-back")) })]));
        door.destroySoon();
      },
    });
    const gateway = await startGateway(path, "perRequest");
    closers.push(() => target.close(), () => gateway.close());
    const client = await Client.open(gateway.port);
    client.send(get("/"));
    expect(await client.until("itself\n")).toMatch(/^HTTP\/1.1 200 /);
    client.close();
  });
});
