import { afterAll, describe, expect, it } from "vitest";
import { createDnsResolver, resolvingProvider, type DestinationResolver, type Destinations } from "@proxy/cluster";
import { createConfigManager, memoryProvider, type ConfigChangeListener, type DestinationConfig } from "@proxy/config";
import { loadArea, type ConformanceCase, type Shapeless } from "@proxy/conformance";
import { reportArea } from "@proxy/conformance/report";
import { FakeClock } from "./support/fake-clock.ts";
import { monitoring } from "./support/monitoring.ts";
import { configOf, load } from "./support/states.ts";

const cases = loadArea("config-reload").cases.filter((each) => each.given.kind === "resolver" || each.rule === "active-health");

describe("conformance: config-reload, resolvers and probes", () => {
  let held = 0;
  afterAll(() => reportArea("config-reload (resolvers and probes)", { held, superseded: 0, failed: cases.length - held }));
  for (const each of cases) {
    it(`${each.id}: ${each.title}`, async () => {
      await check(each);
      held++;
    });
  }
});

async function check({ given, expect: expected, rule }: ConformanceCase): Promise<void> {
  if (rule === "active-health") {
    const { monitor, states } = monitoring();
    load(states, configOf("c", ["d"], { healthCheck: { active: { enabled: true } } }));
    expect(monitor.nextDue !== undefined).toBe(expected.scheduled);
  } else if (rule === "resolver-dns") await checkDns(given, expected);
  else if (rule === "resolver-fail") await checkFailure(given, expected);
  else if (rule === "resolver-reload") await checkReload(expected);
  else {
    const twice: DestinationResolver = {
      name: "twice",
      resolve: () => ({
        destinations: Object.fromEntries(Object.entries<string>(expected.destinations).map(([id, address]) => [id, { address }])),
      }),
    };
    const { manager } = managerOf(withAddresses(given.destinations), twice);
    expect((await manager.start()).clusters[0]?.destinations).toEqual(withAddresses(expected.destinations));
    await manager.close();
  }
}

function withAddresses(addresses: Readonly<Record<string, string>>): Destinations {
  return Object.fromEntries(Object.entries(addresses).map(([id, address]) => [id, { address }]));
}

function managerOf(destinations: Destinations, resolver: DestinationResolver, listener: ConfigChangeListener = {}) {
  const clock = new FakeClock();
  const provider = memoryProvider({ routes: [], clusters: [{ clusterId: "cluster1", destinations }] });
  const manager = createConfigManager({
    providers: [resolvingProvider(provider, resolver, clock)],
    listeners: [listener],
    debounce: 0,
    apply: () => {},
  });
  return { manager, clock, provider };
}

async function checkDns(given: Shapeless, expected: Shapeless): Promise<void> {
  const resolver = createDnsResolver({
    lookup: { addresses: async (host) => (given.dns[host] as string[]).map((address) => ({ address })) },
  });
  const lowerCase = (all: Shapeless): Destinations =>
    Object.fromEntries(
      Object.entries<Shapeless>(all).map(([id, each]) => [
        id,
        Object.fromEntries(Object.entries(each).map(([key, value]) => [key.toLowerCase(), value])) as unknown as DestinationConfig,
      ]),
    );
  const { destinations } = await resolver.resolve("c", lowerCase(given.destinations));
  expect(destinations).toEqual(lowerCase(expected.destinations));
}

async function checkFailure(given: Shapeless, expected: Shapeless): Promise<void> {
  const failure = new Error("no service discovery");
  let fails = given.when === "first load";
  const resolver: DestinationResolver = {
    name: "failing",
    resolve(_cluster, destinations) {
      if (!fails) return { destinations };
      if (given.resolver === "throws synchronously") throw failure;
      return Promise.reject(failure);
    },
  };
  const told: { what: string; error: Error }[] = [];
  const listener: ConfigChangeListener = { loadingFailed: (_provider, error) => void told.push({ what: "loading failed", error }) };
  const { manager } = managerOf({ d1: { address: "http://localhost" } }, resolver, listener);
  const started = manager.start();
  if (expected.throws) {
    const error = (await started.catch((reason: unknown) => reason)) as Error;
    expect(error).toBeInstanceOf(Error);
    for (const mentioned of expected.mentions ?? []) expect(String(error)).toContain(mentioned);
  } else {
    await started;
    fails = true;
    expect(await manager.reload()).toBe(false);
    expect(told[0]?.what).toBe(expected.listener);
    expect(manager.current?.clusters[0]?.destinations).toHaveProperty("d1");
  }
  const cause = told[0]?.error;
  expect(cause === failure).toBe(!expected.wrapped);
  if (expected.wrapped) expect(cause?.cause).toBe(failure);
  await manager.close();
}

async function checkReload(expected: Shapeless): Promise<void> {
  const answers = [{ a: { address: "http://first" } }, { b: { address: "http://second" } }];
  let listener: (() => void) | undefined;
  const resolver: DestinationResolver = {
    name: "signalling",
    resolve: () => ({ destinations: answers.shift() as Destinations }),
    subscribe(told) {
      listener = told;
      return () => (listener = undefined);
    },
  };
  const applied = Promise.withResolvers<void>();
  let loads = 0;
  const { manager } = managerOf({ d: { address: "http://d" } }, resolver, {
    applied() {
      loads++;
      if (loads === expected.loads) applied.resolve();
    },
  });
  await manager.start();
  listener?.();
  await applied.promise;
  expect(manager.current?.clusters[0]?.destinations).toEqual({ b: { address: "http://second" } });
  await manager.close();
  expect(listener).toBeUndefined();
}
