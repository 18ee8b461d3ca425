import { connect } from "node:net";
import { join } from "node:path";
import { ClusterStates, createLoadBalancingPolicies } from "@proxy/cluster";
import { createEngineServer, HeaderList, type AdoptingServer } from "@proxy/http";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createUnixCarrier, Delegator, socketKey, type DelegationMode } from "../../src/index.ts";
import { Client, privateDirectory } from "../delegating-gateway.ts";
import { descriptors, eventually, reportOf, startTarget, stop } from "./support.ts";

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

test.each([["engine", 20_000], ["http", 4000]] as const)("connections go there and come back (%s), %i times, and no descriptor stays", async (kind, total) => {
  const target = await startTarget(path, kind);
  closers.push(() => stop(target));
  const { port, server } = await startGateway("perRequest");
  const warm = await Client.open(port);
  warm.send("GET /0 HTTP/1.1\r\nHost: x\r\n\r\n");
  await warm.until("/0 0\n");
  warm.close();
  await warm.end();
  await eventually(async () => server.connectionCount === 0 && (await reportOf(target)).connections === 0);
  const before = [descriptors(process.pid), descriptors(target.pid!)];
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
  await eventually(async () => server.connectionCount === 0 && (await reportOf(target)).connections === 0);
  expect({ answered, ...(await reportOf(target)) }).toMatchObject({ answered: total, received: total + 1, returned: total + 1, connections: 0 });
  await eventually(() => descriptors(process.pid) <= before[0]! && descriptors(target.pid!) <= before[1]!);
  // Fewer is fine: something of the start may have been open still when they were counted first.
  expect(descriptors(process.pid)).toBeLessThanOrEqual(before[0]!);
  expect(descriptors(target.pid!)).toBeLessThanOrEqual(before[1]!);
});

test("WebSockets and other upgrades go through, and stay", async () => {
  const target = await startTarget(path, "http");
  closers.push(() => stop(target));
  const { port } = await startGateway("perRequest");
  const client = await Client.open(port);
  client.send("GET /first HTTP/1.1\r\nHost: x\r\n\r\n");
  await client.until("/first 0\n");
  client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nearly");
  expect(await client.until("early")).toMatch(/^HTTP\/1.1 101 /);
  client.send("later");
  await client.until("later");
  client.close();
  await eventually(async () => (await reportOf(target)).connections === 0);
});

test("clients that reset at any step leave nothing behind", async () => {
  const target = await startTarget(path, "engine");
  closers.push(() => stop(target));
  const { port, server, delegator } = await startGateway("perRequest");
  const steps = [
    "GE", "GET / HTTP/1.1\r\nHo", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n", "GET /large HTTP/1.1\r\nHost: x\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n01234", "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET /large HTTP/1.1\r\nHost: x\r\n\r\nGET",
  ];
  await eventually(() => delegator.rules[0]?.state === "attached");
  const before = [descriptors(process.pid), descriptors(target.pid!)];
  for (let round = 0; round < 40; round++) {
    await Promise.all(steps.map((text) => new Promise<void>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => {
        socket.write(text, () => {
          // Now, after a turn, or after the first bytes of an answer.
          if (round % 3 === 0) socket.resetAndDestroy();
          else if (round % 3 === 1) setImmediate(() => socket.resetAndDestroy());
          else setTimeout(() => socket.resetAndDestroy(), 3);
        });
      });
      socket.on("error", () => undefined).on("data", () => undefined).on("close", () => resolve());
    })));
  }
  await eventually(async () => server.connectionCount === 0 && (await reportOf(target)).connections === 0);
  expect(delegator.rules).toMatchObject([{ state: "attached", handingOver: 0 }]);
  await eventually(() => descriptors(process.pid) <= before[0]! && descriptors(target.pid!) <= before[1]!);
  // Fewer is fine: something of the start may have been open still when they were counted first.
  expect(descriptors(process.pid)).toBeLessThanOrEqual(before[0]!);
  expect(descriptors(target.pid!)).toBeLessThanOrEqual(before[1]!);
});

test("a target that is killed again and again: every request has an answer, a 503 or a closed connection, and it goes on", async () => {
  let target = await startTarget(path, "engine");
  closers.push(() => stop(target));
  const { port, server, delegator } = await startGateway("perRequest");
  const outcomes = { answered: 0, refused: 0, closed: 0 };
  const run = { isOver: false };
  const clients = Array.from({ length: 8 }, async () => {
    while (!run.isOver) {
      const client = await Client.open(port);
      try {
        for (let i = 0; i < 50; i++) {
          client.send(`GET /${i} HTTP/1.1\r\nHost: x\r\n\r\n`);
          const answer = await client.until("\r\n\r\n");
          await client.until("\n");
          if (answer.includes(" 503 ")) outcomes.refused++;
          else outcomes.answered++;
        }
      } catch {
        outcomes.closed++;
      }
      client.close();
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  });
  for (let i = 0; i < 5; i++) {
    await new Promise((resolve) => setTimeout(resolve, 150));
    await stop(target);
    target = await startTarget(path, "engine");
    await eventually(() => delegator.rules[0]?.state === "attached");
  }
  run.isOver = true;
  await Promise.all(clients);
  expect(outcomes.answered).toBeGreaterThan(100);
  const last = await Client.open(port);
  last.send("GET /last HTTP/1.1\r\nHost: x\r\n\r\n");
  await last.until("/last 0\n");
  last.close();
  await eventually(() => server.connectionCount === 0);
  expect(delegator.rules).toMatchObject([{ state: "attached", handingOver: 0, destinations: 1 }]);
});
