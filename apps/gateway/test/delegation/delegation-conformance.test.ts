/** The cases of the area `delegation`, with the whole proxy over HTTP.sys calls in memory. */
import { ClusterStates, createLoadBalancingPolicies, type ClusterModelBuilder } from "@proxy/cluster";
import { loadArea, type ConformanceCase } from "@proxy/conformance";
import { reportArea } from "@proxy/conformance/report";
import { createHttpSysCarrier, Delegator, httpSysQueueKey, wantedTarget, type QueueEvent } from "@proxy/delegation";
import type { ForwarderError } from "@proxy/forwarder";
import { createEngineServer, HeaderList } from "@proxy/http";
import { createReverseProxy, insertAfter, type ProxyContext, type ReverseProxy } from "@proxy/pipeline";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { FakeHttpSys } from "./fake-http-sys.ts";

const { cases } = loadArea("delegation");
const closers: (() => Promise<void>)[] = [];
let held = 0;

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});
afterAll(() => reportArea("delegation", { held, superseded: 0, failed: cases.length - held }));

describe("delegation", () => {
  it.each(cases.map((one) => [`${one.id}: ${one.title}`, one] as const))("%s", async (_title, one) => {
    if (one.given.metadata !== undefined) {
      expect(wantedTarget({ address: "http://*:80/", metadata: one.given.metadata })?.queueName).toBe(one.expect.queue);
    } else if (one.given.kind === "queues") queues(one);
    else if (one.given.kind === "middleware") await middleware(one);
    else await delegate(one);
    held++;
  });
});

type Destinations = Readonly<Record<string, string | null>>;

function clusterConfig(clusterId: string, destinations: Destinations): { clusterId: string; destinations: Record<string, { address: string; metadata?: Record<string, string> }> } {
  return {
    clusterId,
    destinations: Object.fromEntries(
      Object.entries(destinations).map(([id, text]) => {
        const [queue, address = "http://*:80/"] = (text ?? "").split(" at ");
        return [id, queue ? { address, metadata: { [httpSysQueueKey]: queue } } : { address }];
      }),
    ),
  };
}

function queues({ given, expect: wanted }: ConformanceCase): void {
  const fake = new FakeHttpSys();
  let created: string[][] = [];
  let before = 0;
  let hasSupport = true;
  const policies = createLoadBalancingPolicies();
  const builder: ClusterModelBuilder = { cluster: (config) => ({ config, loadBalancing: policies.get("Random")! }) };
  let delegator: Delegator | undefined;
  let states: ClusterStates | undefined;
  for (const step of given.steps as Readonly<Record<string, Destinations | string>>[]) {
    const [[what, value] = ["", ""]] = Object.entries(step);
    if (what === "server") {
      hasSupport = false;
      continue;
    }
    delegator ??= new Delegator({
      carriers: hasSupport ? [createHttpSysCarrier(() => [fake.source])] : [],
      onRule: (queue, prefix) => created.push([queue, prefix]),
    });
    states ??= new ClusterStates(builder, [delegator]);
    before = created.length;
    states.prepare([clusterConfig(what.split(" ")[1] ?? "", value as Destinations)]).commit();
  }
  if (wanted.created !== undefined) expect(created).toEqual(wanted.created);
  if (wanted.createdByLastStep !== undefined) expect(created.slice(before)).toEqual(wanted.createdByLastStep);
  for (const [id, delegates] of Object.entries(wanted.delegates ?? {})) {
    const destination = states?.get("cluster1")?.destinations.all.find((each) => each.id === id);
    expect(destination !== undefined && delegator?.delegates(destination)).toBe(delegates);
  }
  created = [];
  // One handle for each queue name, and none without a rule.
  expect(fake.rules.size).toBe(fake.handles.size);
  delegator?.close();
  expect(fake.handles.size).toBe(0);
}

interface Started {
  readonly fake: FakeHttpSys;
  readonly delegator: Delegator;
  readonly proxy: ReverseProxy;
  readonly events: QueueEvent["type"][];
  request(): Promise<{ status: number; text: string; outcome: ForwarderError | undefined; destination: string | undefined; nextCalled: boolean }>;
}

async function start(
  destinations: Destinations,
  { fake = new FakeHttpSys(), presents = true, canDelegate = true, random = 0 }: { fake?: FakeHttpSys; presents?: boolean; canDelegate?: boolean; random?: number } = {},
): Promise<Started> {
  const events: QueueEvent["type"][] = [];
  const delegator = new Delegator({
    carriers: [createHttpSysCarrier(() => [fake.source])],
    onEvent: ({ type }) => events.push(type as QueueEvent["type"]),
  });
  let last: ProxyContext | undefined;
  let nextCalled = false;
  const proxy = await createReverseProxy({
    config: config(destinations),
    delegator,
    random: () => random,
    steps: (steps) => [
      { name: "watch", run: (ctx, next) => ((last = ctx), next(ctx)) },
      ...insertAfter(steps.filter(({ name }) => name !== "load-balancing"), "delegate", {
        name: "next",
        run(ctx) {
          nextCalled = true;
          ctx.exchange.response.send({ status: 204, headers: new HeaderList() });
        },
      }),
    ],
  });
  const server = createEngineServer({ handler: (exchange) => proxy.handle(presents ? fake.presented(exchange, canDelegate) : exchange) });
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  closers.push(() => proxy.close(), () => server.close(0));
  return {
    fake, delegator, proxy, events,
    async request() {
      nextCalled = false;
      const response = await fetch(`http://127.0.0.1:${port}/`);
      const text = await response.text();
      return { status: response.status, text, outcome: last?.outcome, destination: last?.destination?.id, nextCalled };
    },
  };
}

function config(destinations: Destinations): Parameters<ReverseProxy["update"]>[0] {
  return {
    routes: { r: { clusterId: "c", match: { path: "{**all}" } } },
    clusters: { c: { destinations: clusterConfig("c", destinations).destinations } },
  };
}

async function middleware({ given, expect: wanted }: ConformanceCase): Promise<void> {
  const started = await start(given.destinations, { random: given.randomIndex ?? 0 });
  const { destination, nextCalled } = await started.request();
  expect({ delegatedTo: destination ?? null, nextCalled }).toEqual(wanted);
}

async function delegate({ given, expect: wanted }: ConformanceCase): Promise<void> {
  const { state, fault, operation } = given as { state: string; fault?: string; operation?: string };
  const fake = new FakeHttpSys();
  if (state === "attaching throws") fake.openErrors.push(5, 5);
  if (state === "first attach fails with not found, second succeeds") fake.openErrors.push(2);
  if (fault?.startsWith("object no longer exists")) fake.delegateErrors.push(6807);
  else if (fault === "other error on the first try" || fault === "handing over throws") fake.delegateErrors.push(31);
  const isMissing = fault === "request cannot be delegated: feature missing";
  const started = await start({ d: "queue1" }, { fake, presents: !isMissing, canDelegate: fault !== "request cannot be delegated: already started" });
  const { delegator, proxy } = started;
  if (state === "queue name changed from queue1 to queue2") await proxy.update(config({ d: "queue2" }));
  if (state === "no queue for this destination") {
    const [destination] = proxy.state.cluster("c")!.destinations.all;
    delegator.destinationRemoved(proxy.state.cluster("c")!, destination!);
  }
  if (state === "all destinations of the queue removed") {
    expect(fake.handles.size).toBe(1);
    await proxy.update(config({ other: null }));
    expect({ released: fake.handles.size === 0 && fake.rules.size === 0 }).toEqual(wanted);
    return;
  }
  if (operation === "reset") {
    expect(delegator.resetQueue("queue1", "http://*:80/")).toBe(true);
    expect(wanted).toEqual({ throws: false });
    return;
  }
  if (state === "queue attached, then reset") delegator.resetQueue("queue1", "http://*:80/");
  const { status, text, outcome } = await started.request();
  if (wanted.throws === true) {
    expect({ status, outcome }).toEqual({ status: 500, outcome: undefined });
    return;
  }
  expect(status).toBe(wanted.delegated === true ? 200 : wanted.status);
  expect(outcome?.code ?? null).toBe(wanted.error);
  if (wanted.delegated === true) expect(text).toBe(state.includes("to queue2") ? "queue2" : "queue1");
  if (wanted.attempts !== undefined) expect(fake.attempts).toBe(wanted.attempts);
  if (wanted.attaches !== undefined) expect(fake.opened).toHaveLength(wanted.attaches);
  if (wanted.errorHasException === true) expect(outcome?.cause).toBeInstanceOf(Error);
  if (wanted.detached === true) expect(started.events).toContain("detached");
}
