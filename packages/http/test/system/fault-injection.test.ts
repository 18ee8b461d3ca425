import type { AddressInfo, Socket } from "node:net";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { createEngineClient, createEngineServer } from "../../src/index.ts";
import { playClients } from "./fault-injection/clients.ts";
import { faultyDestination } from "./fault-injection/destination.ts";
import { Relay, type RelayCounters } from "./fault-injection/relay.ts";
import { Strikes } from "./fault-injection/strikes.ts";

const requests = Number(process.env["FAULT_REQUESTS"] ?? 10_000);
const seed = Number(process.env["FAULT_SEED"] ?? 20_261_122);
const clients = 48;
/** Turns of the event loop after which a client that got no answer leaves. */
const patience = 150;

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

it(`${requests} requests with faults at every step on either side leave nothing behind`, async () => {
  const started = vi.spyOn(globalThis, "setInterval");
  const stopped = vi.spyOn(globalThis, "clearInterval");
  const strikes = new Strikes();
  const destinationSockets = new Set<Socket>();
  const destination = faultyDestination(seed, strikes, destinationSockets);
  await new Promise<void>((resolve) => destination.listen(0, "127.0.0.1", resolve));
  const client = createEngineClient({ maxConnections: 64, timerInterval: 20 });
  const pool = client.destination({ scheme: "http", host: "127.0.0.1", port: (destination.address() as AddressInfo).port });
  const counters: RelayCounters = { exchanges: 0, calls: 0, tunnels: 0, twice: 0 };
  const faults: Error[] = [];
  const server = createEngineServer({
    timerInterval: 20,
    // What is left of a head when its client has gone waits for this.
    limits: { requestHeadersTimeout: 2000 },
    onFault: (error) => faults.push(error),
    handler: (one) => void new Relay(one, pool, counters),
  });
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  const outcomes = await playClients({ seed, requests, clients, port, patience: () => patience, strikes });

  await expect.poll(() => counters).toEqual({ exchanges: 0, calls: 0, tunnels: 0, twice: 0 });
  await expect.poll(() => server.connectionCount).toBe(0);
  await server.close(1000);
  await client.close();
  await expect.poll(() => destinationSockets.size).toBe(0);
  await new Promise((resolve) => {
    destination.close(resolve);
  });
  const left = (): string[] => process.getActiveResourcesInfo().filter((name) => name.startsWith("TCP"));
  await expect.poll(() => left()).toEqual([]);
  // The timers of both engines: those that `vi.waitFor` starts are stopped before it resolves.
  const cleared = new Set(stopped.mock.calls.map(([timer]) => timer));
  expect(started.mock.results.filter(({ value }) => !cleared.has(value as NodeJS.Timeout))).toEqual([]);
  vi.restoreAllMocks();
  expect(unhandled).toEqual([]);
  process.stdout.write(`fault injection, seed ${seed}: ${[...outcomes].map(([name, count]) => `${count} ${name}`).join(", ")}\n`);
  expect(strikes.below(requests / 2000), "faults that hardly struck").toEqual([]);
  for (const outcome of ["answered", "bad gateway", "cut", "left", "switched", "refused"] as const) {
    expect(outcomes.get(outcome) ?? 0, outcome).toBeGreaterThan(0);
  }
});
