import { once } from "node:events";
import { createServer } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { ClusterStates, createLoadBalancingPolicies } from "@proxy/cluster";
import { createEngineServer, HeaderList, type AdoptingServer } from "@proxy/http";
import { describe, expect, test } from "vitest";
import { createUnixCarrier, Delegator, socketKey, type DelegationMode } from "../../src/index.ts";
import { createReceiver } from "../../src/receiver/index.ts";
import { Client, eachInPrivateDirectory } from "../delegating-gateway.ts";
import { WebSocket } from "ws";
import { descriptors, eventually, limitFiles, reportOf, runAsOther, startGatewayProcess, startTarget, stop } from "./support.ts";

let path: string;
const closers = eachInPrivateDirectory((directory) => (path = join(directory, "target.sock")));

/** A front server with a delegator that knows one destination. */
async function startGateway(mode: DelegationMode): Promise<{ port: number; server: AdoptingServer; delegator: Delegator; faults: Error[] }> {
  const delegator = new Delegator({ carriers: [createUnixCarrier({ acceptTimeout: 1000 })] });
  const loadBalancing = createLoadBalancingPolicies().get("Random")!;
  const states = new ClusterStates({ cluster: (config) => ({ config, loadBalancing }) }, [delegator]);
  states.prepare([{ clusterId: "c", destinations: { d: { address: "http://target/", metadata: { [socketKey]: path, DelegationMode: mode } } } }]).commit();
  const destination = states.get("c")!.destinations.all[0]!;
  const faults: Error[] = [];
  const server = createEngineServer({
    onFault: (error) => faults.push(error),
    handler(exchange) {
      delegator.delegate(exchange, destination, (failure) => {
        if (failure !== undefined) exchange.response.send({ status: 503, headers: new HeaderList() }, "failed\n");
      });
    },
  });
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  closers.push(() => server.close(0), () => delegator.close());
  return { port, server, delegator, faults };
}

test.each([["engine", 20_000], ["http", 20_000]] as const)("connections go there and come back (%s), %i times, and nothing stays", async (kind, total) => {
  const target = await startTarget(path, kind);
  closers.push(() => stop(target));
  const { port, server } = await startGateway("perRequest");
  const warm = await Client.open(port);
  warm.send("GET /0 HTTP/1.1\r\nHost: x\r\n\r\n");
  await warm.until("/0 0\n");
  warm.close();
  await warm.end();
  await eventually(target, ({ connections, kept }) => server.connectionCount + connections + kept === 0);
  const before = [descriptors(process.pid), descriptors(target.pid!)];
  const { resources } = await reportOf(target);
  const clients = 16;
  let answered = 0;
  await Promise.all(Array.from({ length: clients }, async () => {
    const client = await Client.open(port);
    for (let i = 0; i < total / clients; i++) {
      client.send(i % 2 === 0 ? `GET /${i} HTTP/1.1\r\nHost: x\r\n\r\n` : `POST /${i} HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc`);
      await client.until(`/${i} ${i % 2 === 0 ? 0 : 3}\n`);
      answered++;
    }
    client.close();
  }));
  await eventually(target, ({ connections, kept }) => server.connectionCount + connections + kept === 0);
  const after = await reportOf(target);
  expect({ answered, ...after }).toMatchObject({ answered: total, received: total + 1, returned: total + 1, connections: 0, kept: 0 });
  // Fewer is fine: something of the start may have been open still when they were counted first.
  await eventually(target, (report) => report.resources.length <= resources.length);
  await eventually(target, () => descriptors(process.pid) <= before[0]! && descriptors(target.pid!) <= before[1]!);
});

describe.each(["engine", "http"] as const)("a receiver with a server of %s", (kind) => {
  test.each(["perRequest", "sticky"] as const)("serves WebSockets and other upgrades, which stay there (%s)", async (mode) => {
    const target = await startTarget(path, kind);
    closers.push(() => stop(target));
    const { port, server } = await startGateway(mode);
    const client = await Client.open(port);
    client.send("GET /first HTTP/1.1\r\nHost: x\r\n\r\n");
    await client.until("/first 0\n");
    client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nearly");
    expect(await client.until("early")).toMatch(/^HTTP\/1.1 101 /);
    client.send("later");
    await client.until("later");
    const socket = new WebSocket(`ws://127.0.0.1:${port}/socket`, { perMessageDeflate: false });
    await once(socket, "open");
    for (const text of ["one", "two", "three"]) {
      socket.send(text);
      const [data] = (await once(socket, "message")) as [Buffer];
      expect(data.toString()).toBe(text);
    }
    // The gateway holds nothing of them any more.
    await eventually(target, ({ connections }) => server.connectionCount === 0 && connections === 2);
    socket.close(1000);
    expect((await once(socket, "close"))[0]).toBe(1000);
    client.close();
    await eventually(target, ({ connections, kept }) => connections + kept === 0);
  });
});

test.each(["engine", "http"] as const)("clients that reset at any step leave nothing behind (%s)", async (kind) => {
  const target = await startTarget(path, kind);
  closers.push(() => stop(target));
  const { port, server, delegator } = await startGateway("perRequest");
  const steps = [
    "GE", "GET / HTTP/1.1\r\nHo", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n", "GET /large HTTP/1.1\r\nHost: x\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n01234", "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET /large HTTP/1.1\r\nHost: x\r\n\r\nGET",
    "GET /half HTTP/1.1\r\nHost: x\r\n\r\n",
  ];
  await eventually(target, () => delegator.rules[0]?.state === "attached");
  const before = [descriptors(process.pid), descriptors(target.pid!)];
  for (let round = 0; round < 40; round++) {
    // Now, after a turn, or when the target has answered a question: by then it may have the connection, or have given it back.
    const moments = [(): undefined => undefined, () => new Promise((resolve) => setImmediate(resolve)), () => reportOf(target)];
    const sockets = await Promise.all(steps.map(async (text) => {
      const socket = connect(port, "127.0.0.1").on("error", () => undefined).on("data", () => undefined);
      await once(socket, "connect");
      await new Promise((resolve) => socket.write(text, resolve));
      return socket;
    }));
    await moments[round % 3]?.();
    for (const socket of sockets) socket.resetAndDestroy();
  }
  await eventually(target, ({ connections, kept }) => server.connectionCount + connections + kept === 0);
  expect(delegator.rules).toMatchObject([{ state: "attached", handingOver: 0 }]);
  await eventually(target, () => descriptors(process.pid) <= before[0]! && descriptors(target.pid!) <= before[1]!);
});

test("a target that is killed again and again: every request has an answer, a 503 or a closed connection, and it goes on", async () => {
  let target = await startTarget(path, "engine");
  closers.push(() => stop(target));
  const { port, server, delegator } = await startGateway("perRequest");
  const outcomes = { answered: 0, refused: 0, closed: 0 };
  const run = { isOver: false };
  let wakeAt = Infinity;
  let wake: () => void = () => undefined;
  const clients = Array.from({ length: 8 }, async () => {
    while (!run.isOver) {
      const client = await Client.open(port);
      try {
        for (let i = 0; i < 50; i++) {
          client.send(`GET /${i} HTTP/1.1\r\nHost: x\r\n\r\n`);
          const answer = await client.until("\r\n\r\n");
          if (answer.includes(" 503 ")) {
            await client.until("failed\n");
            outcomes.refused++;
          } else {
            await client.until(`/${i} 0\n`);
            if (++outcomes.answered >= wakeAt) wake();
          }
        }
      } catch {
        outcomes.closed++;
      }
      client.close();
    }
  });
  for (let i = 0; i < 5; i++) {
    await new Promise<void>((resolve) => {
      wake = resolve;
      wakeAt = outcomes.answered + 200;
    });
    wakeAt = Infinity;
    await stop(target);
    target = await startTarget(path, "engine");
  }
  run.isOver = true;
  await Promise.all(clients);
  expect(outcomes.answered).toBeGreaterThanOrEqual(1000);
  const last = await Client.open(port);
  last.send("GET /last HTTP/1.1\r\nHost: x\r\n\r\n");
  await last.until("/last 0\n");
  last.close();
  await eventually(target, () => server.connectionCount === 0);
  expect(delegator.rules).toMatchObject([{ state: "attached", handingOver: 0, destinations: 1 }]);
});

test.each(["engine", "http"] as const)("a target that stands still is given up, and nothing of what it does when it goes on reaches the clients (%s)", async (kind) => {
  const target = await startTarget(path, kind);
  closers.push(() => stop(target));
  const { port, server, delegator } = await startGateway("perRequest");
  // Of one of them the target has a copy, of the other it never heard.
  const [known, unknown] = [await Client.open(port), await Client.open(port)];
  known.send("GET /first HTTP/1.1\r\nHost: x\r\n\r\n");
  await known.until("/first 0\n");
  await eventually(target, ({ kept }) => kept === 1);
  target.kill("SIGSTOP");
  for (const client of [known, unknown]) client.send("GET /second HTTP/1.1\r\nHost: x\r\n\r\n");
  for (const client of [known, unknown]) expect(await client.until("failed\n")).toMatch(/^HTTP\/1.1 503 [^]*Connection: close/);
  target.kill("SIGCONT");
  // The target has gone on, and answered whom it could not have known to be gone.
  await reportOf(target);
  for (const client of [known, unknown]) {
    await client.end();
    expect(client.text).toBe("");
    client.close();
  }
  for (let answer = ""; !answer.includes(" 200 "); ) {
    const client = await Client.open(port);
    client.send("GET /again HTTP/1.1\r\nHost: x\r\n\r\n");
    answer = await client.until("\n");
    client.close();
    await reportOf(target);
  }
  await eventually(target, ({ connections, kept }) => server.connectionCount + connections + kept === 0);
  expect(delegator.rules).toMatchObject([{ state: "attached", handingOver: 0 }]);
});

test("a target may start late, leave its socket behind and come again; what it was answering is reset", async () => {
  const { port } = await startGateway("perRequest");
  const client = await Client.open(port);
  const ask = async (): Promise<string> => {
    client.send("GET /ask HTTP/1.1\r\nHost: x\r\n\r\n");
    const head = await client.until("\r\n\r\n");
    return `${head.slice(9, 12)} ${(await client.until("\n")).trim()}`;
  };
  expect(await ask()).toBe("503 failed");
  for (let round = 0; round < 2; round++) {
    const target = await startTarget(path, "engine");
    closers.push(() => stop(target));
    expect(await ask()).toBe("200 /ask 0");
    const other = await Client.open(port);
    other.send("GET /half HTTP/1.1\r\nHost: x\r\n\r\n");
    await other.until("half\n");
    const failed = once(other.socket, "error");
    await stop(target);
    expect(await failed).toMatchObject([{ code: "ECONNRESET" }]);
    expect(await ask()).toBe("503 failed");
  }
});

test("a gateway that is killed leaves answers to be ended, and nothing else; another one takes its place", async () => {
  const target = await startTarget(path, "engine");
  closers.push(() => stop(target));
  const before = descriptors(target.pid!);
  for (let round = 0; round < 2; round++) {
    const gateway = await startGatewayProcess(path, "perRequest");
    closers.push(() => stop(gateway.child));
    const [idle, busy, upgraded] = [await Client.open(gateway.port), await Client.open(gateway.port), await Client.open(gateway.port)];
    idle.send("GET /idle HTTP/1.1\r\nHost: x\r\n\r\n");
    await idle.until("/idle 0\n");
    busy.send("POST /busy HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n");
    upgraded.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nearly");
    await upgraded.until("early");
    await eventually(target, ({ connections, kept }) => connections === 2 && kept === 1);
    await stop(gateway.child);
    await idle.end();
    busy.send("abcde");
    await busy.until("/busy 5\n");
    await busy.end();
    upgraded.send("later");
    await upgraded.until("later");
    upgraded.close();
    await eventually(target, ({ connections, kept }) => connections + kept === 0);
  }
  await eventually(target, () => descriptors(target.pid!) <= before);
});

test("a target that has as many files open as it may refuses what comes, and takes it again later", async () => {
  const target = await startTarget(path, "engine");
  closers.push(() => stop(target));
  const { port, server, delegator } = await startGateway("perRequest");
  await eventually(target, () => delegator.rules[0]?.state === "attached");
  await limitFiles(target.pid!, 4);
  const clients = await Promise.all(Array.from({ length: 12 }, () => Client.open(port)));
  const outcomes: string[] = [];
  for (const client of clients) {
    client.send("GET /half HTTP/1.1\r\nHost: x\r\n\r\n");
    const head = await client.until("\r\n\r\n");
    await client.until("\n");
    outcomes.push(head.slice(9, 12));
  }
  expect(new Set(outcomes)).toEqual(new Set(["200", "503"]));
  expect(outcomes.lastIndexOf("200")).toBeLessThan(outcomes.indexOf("503"));
  expect(delegator.rules).toMatchObject([{ state: "attached" }]);
  for (const client of clients.slice(0, outcomes.indexOf("503"))) client.close();
  const last = clients.at(-1)!;
  await eventually(target, ({ connections }) => connections === 0);
  last.send("GET /again HTTP/1.1\r\nHost: x\r\n\r\n");
  await last.until("/again 0\n");
  for (const client of clients) client.close();
  await eventually(target, ({ connections, kept }) => connections + kept + server.connectionCount === 0);
});

const isRoot = process.geteuid?.() === 0;

test.skipIf(!isRoot)(`a process of another user is refused by both sides${isRoot ? "" : " (needs root, to be somebody else)"}`, async () => {
  const other = await runAsOther("other-users-target.ts", path);
  closers.push(() => stop(other.child));
  expect(await other.line()).toBe("listening");
  const opening = createUnixCarrier().open(path);
  await expect(opening).rejects.toMatchObject({ code: "REFUSED", message: `the process at '${path}' belongs to another user` });
  const { port } = await startGateway("perRequest");
  const client = await Client.open(port);
  client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  expect(await client.until("failed\n")).toMatch(/^HTTP\/1.1 503 /);
  client.close();

  const faults: string[] = [];
  const ours = `${path}2`;
  const receiver = await createReceiver({ path: ours, server: createServer(), onFault: ({ message }) => faults.push(message) });
  closers.push(() => receiver.close());
  const visitor = await runAsOther("other-users-gateway.ts", ours);
  closers.push(() => stop(visitor.child));
  expect([await visitor.line(), faults]).toEqual(["heard 0 bytes", ["a process of another user has connected"]]);
});
