import type { AddressInfo, Socket } from "node:net";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { BadRequestError, ClientGoneError, createEngineServer } from "@proxy/http";
import type { ClusterConfig, RouteConfig } from "@proxy/config";
import { createReverseProxy } from "@proxy/pipeline";
// @boundaries-ignore the suite lives with its interface
import { playClients } from "../../../http/test/system/fault-injection/clients.ts";
// @boundaries-ignore the suite lives with its interface
import { faultyDestination } from "../../../http/test/system/fault-injection/destination.ts";
// @boundaries-ignore the suite lives with its interface
import { turns } from "../../../http/test/system/fault-injection/random-numbers.ts";
// @boundaries-ignore the suite lives with its interface
import { Strikes } from "../../../http/test/system/fault-injection/strikes.ts";
import { TrackedTimers } from "../support/tracked-timers.ts";

const requests = Number(process.env["FAULT_REQUESTS"] ?? 3000);
const seed = Number(process.env["FAULT_SEED"] ?? 20_261_122);

/** What a server tells of the faults of clients, which are theirs to make. */
function isOfClient(error: NodeJS.ErrnoException): boolean {
  if (error instanceof BadRequestError || error instanceof ClientGoneError) return true;
  return error.code === "ECONNRESET" || error.code === "EPIPE";
}

const unhandled: unknown[] = [];
const note = (error: unknown): void => {
  unhandled.push(error);
};

beforeAll(() => {
  process.on("uncaughtException", note);
  process.on("unhandledRejection", note);
});

afterAll(() => {
  process.off("uncaughtException", note);
  process.off("unhandledRejection", note);
});

/** Sockets and timers that hold the process; the runner has timers of its own. */
function resources(): string[] {
  return process.getActiveResourcesInfo().filter((name) => name.startsWith("TCP") || name === "Timeout").sort();
}

const variants: readonly (readonly [string, Partial<RouteConfig>, Partial<ClusterConfig>])[] = [
  ["a proxy", {}, {}],
  [
    "a proxy that retries, splits and mirrors",
    {
      clusterId: undefined,
      trafficSplit: { clusters: { c: 1 }, sticky: { name: "variant" } },
      mirror: { clusterId: "shadow", maxConcurrent: 20, timeout: 200, maxBodySize: 10_000 },
    },
    { retry: { methods: ["GET", "POST", "PUT"], statusCodes: [503], perTryTimeout: 50, maxBodySize: 10_000 }, retryBudget: { minPerSecond: 100 } },
  ],
];

it.each(variants)(`${requests} requests through %s with faults at every step on either side leave nothing behind`, async (_title, route, cluster) => {
  const baseline = resources();
  const timers = new TrackedTimers();
  onTestFinished(() => timers.restore());
  const strikes = new Strikes();
  const destinationSockets = new Set<Socket>();
  const destinations = [1, 2].map(() => faultyDestination(seed, strikes, destinationSockets));
  const addresses = await Promise.all(destinations.map(async (each) => {
    await new Promise<void>((resolve) => each.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(each.address() as AddressInfo).port}/`;
  }));
  const errors: unknown[] = [];
  const proxy = await createReverseProxy({
    logger: {
      event: (level, name, fields) => {
        if (level === "error") errors.push([name, fields]);
      },
    },
    config: {
      routes: { all: { clusterId: "c", match: { path: "/{**rest}" }, ...route } },
      clusters: {
        c: {
          destinations: Object.fromEntries(addresses.map((address, i) => [`d${i}`, { address }])),
          loadBalancingPolicy: "RoundRobin",
          httpRequest: { activityTimeout: 100 },
          httpClient: { maxConnectionsPerServer: 40 },
          ...cluster,
        },
        shadow: {
          destinations: { d: { address: addresses[0] ?? "" } },
          httpRequest: { activityTimeout: 100 },
        },
      },
    },
  });
  const counters = { exchanges: 0, handled: 0, twice: 0 };
  const faults: Error[] = [];
  const server = createEngineServer({
    timerInterval: 20,
    limits: { requestHeadersTimeout: 2000, keepAliveTimeout: 1000, halfClosedTimeout: 300 },
    onFault: (error) => faults.push(error),
    handler: async (exchange) => {
      let over = false;
      counters.exchanges++;
      counters.handled++;
      exchange.onComplete(() => {
        if (over) counters.twice++;
        over = true;
        counters.exchanges--;
      });
      try {
        await proxy.handle(exchange);
      } finally {
        counters.handled--;
      }
    },
  });
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });

  // Every fourth client waits longer than the activity timeout.
  const outcomes = await playClients({
    seed, requests, port, strikes, clients: 48, patience: (plan) => (plan.id % 4 === 0 ? 6000 : 150),
  });
  process.stdout.write(`faults through a proxy, seed ${seed}: ${[...outcomes].map(([name, count]) => `${count} ${name}`).join(", ")}\n`);

  await expect.poll(() => counters).toEqual({ exchanges: 0, handled: 0, twice: 0 });
  await expect.poll(() => proxy.mirrorCounts("shadow")?.active).toBe(0);
  const inFlight = proxy.state.clusters.flatMap((each) => [each, ...each.destinations.all].map((one) => one.inFlight));
  expect(inFlight).toEqual([0, 0, 0, 0, 0]);
  await expect.poll(() => server.connectionCount).toBe(0);
  await proxy.close();
  await server.close(1000);
  await expect.poll(() => destinationSockets.size).toBe(0);
  await Promise.all(destinations.map((each) => new Promise((resolve) => void each.close(resolve))));
  // What is left for a moment: the Date of responses, the forwarder's wheel until its next turn.
  expect(await timers.left(5000)).toEqual([]);
  timers.restore();
  // Not `vi.waitFor`: it waits by a timer, which would be seen.
  const beyond = (): string[] => {
    const left = resources();
    for (const each of baseline) if (left.includes(each)) left.splice(left.indexOf(each), 1);
    return left;
  };
  for (let i = 0; i < 1000 && beyond().length > 0; i++) await turns(1);
  expect(beyond()).toEqual([]);

  expect(unhandled).toEqual([]);
  expect(faults.filter((error) => !isOfClient(error))).toEqual([]);
  expect(errors, "events of level error").toEqual([]);
  expect(strikes.below(1), "faults that never struck").toEqual([]);
  for (const outcome of ["answered", "bad gateway", "timed out", "cut", "left", "switched", "refused"] as const) {
    expect(outcomes.get(outcome) ?? 0, outcome).toBeGreaterThan(0);
  }
});
