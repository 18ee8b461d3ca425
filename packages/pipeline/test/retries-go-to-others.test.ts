import type { ClusterConfig, RetryConfig, RouteConfig } from "@proxy/config";
import type { RequestOutcome } from "@proxy/cluster";
import { DestinationError } from "@proxy/http";
import { expect, test } from "vitest";
import { insertBefore, type ProxyContext, type Step } from "@proxy/pipeline";
import type { FakeCall } from "./support/fake-client.ts";
import { FakeExchange } from "./support/fake-exchange.ts";
import { testProxy } from "./support/proxies.ts";

const inTurn: Partial<ClusterConfig> = { loadBalancingPolicy: "FirstAlphabetical" };

function config(ids: readonly string[], retry: RetryConfig | undefined, cluster: Partial<ClusterConfig> = {}, route: Partial<RouteConfig> = {}) {
  const destinations = Object.fromEntries(ids.map((id) => [id, { address: `http://${id}.test/` }]));
  return {
    routes: { r: { clusterId: "c", match: { path: "/{**rest}" }, ...route } },
    clusters: { c: { destinations, retry, ...inTurn, ...cluster } },
  };
}

/** What the destinations called fail with, or their status; 200 otherwise. */
type Behaviour = Readonly<Record<string, DestinationError["step"] | number | undefined>>;

function playing(behaviour: Behaviour): (call: FakeCall) => void {
  return (call) => {
    const what = behaviour[call.origin.host.replace(".test", "")];
    if (typeof what === "string") call.fail(what);
    else call.respond(what ?? 200, [["X-From", call.origin.host]]);
  };
}

const hosts = (clients: readonly { readonly calls: readonly FakeCall[] }[]): string[] =>
  clients.flatMap((client) => client.calls.map((call) => call.origin.host.replace(".test", "")));

test.each<[string, Behaviour, RetryConfig]>([
  ["a refused connection", { a: "connect" }, { on: ["ConnectFailure"] }],
  ["a reset before the head", { a: "request" }, { on: ["Reset"] }],
  ["what is no HTTP", { a: "response-head" }, { on: ["Reset"] }],
  ["a chosen status", { a: 503 }, { on: [], statusCodes: [503] }],
  ["any of these, by default", { a: "request" }, {}],
])("%s sends the request to another destination", async (_title, behaviour, retry) => {
  const { send, clients, log, proxy } = await testProxy(config(["a", "b"], retry), { script: playing(behaviour) });
  const { response } = await send();
  expect([response.status, response.header("x-from"), hosts(clients)]).toEqual([200, "b.test", ["a", "b"]]);
  expect(log.named("request-retried")).toMatchObject([{ level: "info", fields: { destination: "a", attempt: 1, route: "r", cluster: "c" } }]);
  expect(log.named("forwarding-failed")).toEqual([]);
  const cluster = proxy.state.cluster("c");
  expect([cluster?.inFlight, ...(cluster?.destinations.all.map(({ inFlight }) => inFlight) ?? [])]).toEqual([0, 0, 0]);
});

test.each<[string, Behaviour, RetryConfig, number]>([
  ["a refused connection", { a: "connect" }, { on: ["Reset", "Timeout"] }, 502],
  ["a reset", { a: "request" }, { on: ["ConnectFailure"] }, 502],
  ["a status", { a: 503 }, { statusCodes: [500] }, 503],
  ["anything, being turned off,", { a: "connect" }, { enabled: false }, 502],
])("%s that is not chosen is answered as it is", async (_title, behaviour, retry, status) => {
  const { send, clients } = await testProxy(config(["a", "b"], retry), { script: playing(behaviour) });
  expect([(await send()).response.status, hosts(clients)]).toEqual([status, ["a"]]);
});

test("attempts end: with their number, with the destinations, and then the last failure is the answer", async () => {
  const all: Behaviour = { a: 503, b: "request", c: 500, d: 503 };
  const retry = { statusCodes: [500, 503] };
  const three = await testProxy(config(["a", "b", "c", "d"], retry), { script: playing(all) });
  expect([(await three.send()).response.status, hosts(three.clients)]).toEqual([500, ["a", "b", "c"]]);
  const few = await testProxy(config(["a", "b"], { ...retry, maxAttempts: 10 }), { script: playing(all) });
  expect([(await few.send()).response.status, hosts(few.clients)]).toEqual([502, ["a", "b"]]);
  const one = await testProxy(config(["a"], retry), { script: playing(all) });
  expect([(await one.send()).response.status, hosts(one.clients)]).toEqual([503, ["a"]]);
  const single = await testProxy(config(["a", "b"], { ...retry, maxAttempts: 1 }), { script: playing(all) });
  expect([(await single.send()).response.status, hosts(single.clients)]).toEqual([503, ["a"]]);
});

test("only idempotent methods are retried, unless others are named", async () => {
  for (const [method, retry, tried] of [
    ["GET", {}, 2], ["HEAD", {}, 2], ["PUT", {}, 2], ["DELETE", {}, 2], ["OPTIONS", {}, 2],
    ["POST", {}, 1], ["PATCH", {}, 1], ["get", {}, 1],
    ["POST", { methods: ["POST"] }, 2], ["GET", { methods: ["POST"] }, 1],
  ] as const) {
    const { send, clients } = await testProxy(config(["a", "b"], retry), { script: playing({ a: "connect" }) });
    await send({ method });
    expect([method, hosts(clients).length]).toEqual([method, tried]);
  }
});

test("a response that has started is never retried", async () => {
  const { send, clients } = await testProxy(config(["a", "b"], { statusCodes: [503] }), {
    script: (call) => {
      call.begin();
      call.breakOff();
    },
  });
  const { response } = await send();
  expect([response.status, response.aborted !== undefined, hosts(clients)]).toEqual([200, true, ["a"]]);
});

test("the route's section takes the cluster's place", async () => {
  const off = await testProxy(config(["a", "b"], {}, {}, { retry: { enabled: false } }), { script: playing({ a: "connect" }) });
  expect([(await off.send()).response.status, hosts(off.clients)]).toEqual([502, ["a"]]);
  const on = await testProxy(config(["a", "b"], undefined, {}, { retry: {} }), { script: playing({ a: "connect" }) });
  expect([(await on.send()).response.status, hosts(on.clients)]).toEqual([200, ["a", "b"]]);
});

test("the step is part of those chains alone that need it, also after a reload", async () => {
  const { proxy, send, clients } = await testProxy(config(["a", "b"], undefined), { script: playing({ a: "connect" }) });
  expect([(await send()).response.status, proxy.state.route("r")?.mayRetry]).toEqual([502, false]);
  await proxy.update(config(["a", "b"], {}));
  expect([(await send()).response.status, proxy.state.route("r")?.mayRetry, hosts(clients)]).toEqual([200, true, ["a", "a", "b"]]);
});

test("steps and transforms see which attempt it is, each anew, and passive health sees each of them", async () => {
  const seen: unknown[] = [];
  const watch: Step = {
    name: "watch",
    async run(ctx: ProxyContext, next) {
      const before = [ctx.attempt, ctx.destination?.id, ctx.outcome];
      await next(ctx);
      seen.push([...before, ctx.attempt, ctx.destination?.id, ctx.outcome?.code, ctx.destinationStatus]);
    },
  };
  const judged: [string, RequestOutcome][] = [];
  const { send, clients } = await testProxy(
    config(["a", "b", "c"], { statusCodes: [503] }, { healthCheck: { passive: { enabled: true, policy: "Mine" } } }, {
      transforms: [{ RequestHeader: "X-Once", Append: "1" }, { ResponseHeader: "X-Out", Append: "1", When: "Always" }],
    }),
    {
      script: playing({ a: "request", b: 503 }),
      steps: (steps) => insertBefore(steps, "forward", watch),
      passiveHealthPolicies: [{ name: "Mine", requestEnded: (_cluster, { id }, outcome) => void judged.push([id, outcome]) }],
      transformProviders: [{ apply: (transforms) => void transforms.request((outgoing) => void outgoing.headers.set("X-Attempt", String(outgoing.attempt))) }],
    },
  );
  const { response } = await send();
  expect(seen).toEqual([
    [1, undefined, undefined, 1, "a", "Request", undefined],
    [2, undefined, undefined, 2, "b", undefined, 503],
    [3, undefined, undefined, 3, "c", undefined, 200],
  ]);
  expect(judged).toMatchObject([
    ["a", { error: "Request", status: undefined }],
    ["b", { error: undefined, status: 503 }],
    ["c", { error: undefined, status: 200 }],
  ]);
  expect(clients[0]?.calls.map(({ request }) => [request.headers.getAll("x-attempt"), request.headers.getAll("x-once")])).toEqual([
    [["1"], ["1"]],
    [["2"], ["1"]],
    [["3"], ["1"]],
  ]);
  expect(response.head?.headers.getAll("x-out")).toEqual(["1"]);
});

test("a session goes to another destination where it may, and gets that one's key", async () => {
  const affinity = (failurePolicy: string): Partial<ClusterConfig> => ({
    sessionAffinity: { enabled: true, affinityKeyName: "key", policy: "HashCookie", failurePolicy },
  });
  let behaviour: Behaviour = {};
  const script = (call: FakeCall): void => playing(behaviour)(call);
  const may = await testProxy(config(["a", "b"], {}, affinity("Redistribute")), { script });
  const cookie = (await may.send()).response.header("set-cookie")?.split(";")[0] ?? "";
  behaviour = { a: "connect" };
  const moved = await may.send({ headers: [["Cookie", cookie]] });
  expect([moved.response.status, moved.response.header("x-from")]).toEqual([200, "b.test"]);
  const newCookie = moved.response.header("set-cookie")?.split(";")[0] ?? "";
  expect(newCookie).toMatch(/^key=/);
  expect(newCookie).not.toBe(cookie);

  const mayNot = await testProxy(config(["a", "b"], {}, affinity("Return503Error")), { script });
  const stays = await mayNot.send({ headers: [["Cookie", cookie]] });
  expect([stays.response.status, stays.response.header("set-cookie"), hosts(mayNot.clients)]).toEqual([502, undefined, ["a"]]);
  // Without a session there is nothing to honour.
  expect((await mayNot.send()).response.status).toBe(200);
});

test("later priorities are tried when all of the first have failed", async () => {
  const base = config(["a", "b"], {});
  const destinations = {
    a: { address: "http://a.test/" },
    b: { address: "http://b.test/", priority: 2 },
    c: { address: "http://c.test/", priority: 1 },
  };
  const { send, clients } = await testProxy({ ...base, clusters: { c: { ...base.clusters.c, destinations } } }, { script: playing({ a: "connect", c: "connect" }) });
  expect([(await send()).response.status, hosts(clients)]).toEqual([200, ["a", "c", "b"]]);
});

test("the budget of the cluster bounds retries exactly, and is told once", async () => {
  let time = 0;
  const clock = { now: () => time, date: () => time, after: () => () => {} };
  const { send, clients, log } = await testProxy(config(["a", "b"], {}, { retryBudget: { percent: 10, minPerSecond: 0 } }), { script: playing({ a: "connect" }), clock });
  const statuses: (number | undefined)[] = [];
  for (let i = 0; i < 100; i++) statuses.push((await send()).response.status);
  expect([statuses.filter((each) => each === 200).length, hosts(clients).filter((each) => each === "b").length]).toEqual([10, 10]);
  expect(log.named("retry-budget-exhausted").length).toBe(10);
  time = 60_000;
  expect((await send()).response.status).toBe(502);
  const none = await testProxy(config(["a", "b"], {}, { retryBudget: { percent: 0, minPerSecond: 0 } }), { script: playing({ a: "connect" }) });
  for (let i = 0; i < 5; i++) expect((await none.send()).response.status).toBe(502);
  expect(none.log.named("retry-budget-exhausted").length).toBe(1);
});

test("each attempt takes its own slot, and all are given back", async () => {
  const { proxy, send } = await testProxy(config(["a", "b"], {}, { circuitBreaker: { maxRequestsPerDestination: 1, maxRequests: 1 } }), { script: playing({ a: "connect" }) });
  for (let i = 0; i < 3; i++) expect((await send()).response.status).toBe(200);
  expect(proxy.state.cluster("c")?.limiter?.active).toBe(0);
});

test("a route's own time ends also the wait of a step between attempts", async () => {
  let release = (): void => {};
  const waiting: Step = {
    name: "waiting",
    async run(ctx, next) {
      if (ctx.attempt > 1) await new Promise<void>((resolve) => (release = resolve));
      await next(ctx);
    },
  };
  const { proxy, clients } = await testProxy(config(["a", "b"], {}, {}, { timeout: 50 }), { script: playing({ a: "connect" }), steps: (steps) => insertBefore(steps, "load-balancing", waiting) });
  const exchange = new FakeExchange();
  const done = proxy.handle(exchange);
  await expect.poll(() => exchange.response.status).toBe(504);
  release();
  await done;
  expect(hosts(clients)).toEqual(["a"]);
});

test("a step that answers between attempts has the last word", async () => {
  const answering: Step = {
    name: "answering",
    async run(ctx, next) {
      await next(ctx);
      if (ctx.outcome !== undefined) ctx.exchange.response.send({ status: 418, headers: ctx.exchange.request.headers.copy() });
    },
  };
  const { send, clients } = await testProxy(config(["a", "b"], {}), { script: playing({ a: "connect" }), steps: (steps) => insertBefore(steps, "forward", answering) });
  expect([(await send()).response.status, hosts(clients)]).toEqual([418, ["a"]]);
});

test("a client that leaves is not served by another attempt", async () => {
  const { proxy, clients } = await testProxy(config(["a", "b"], {}), { script: () => {} });
  const exchange = new FakeExchange();
  const done = proxy.handle(exchange);
  exchange.leave();
  await done;
  expect([hosts(clients), proxy.state.cluster("c")?.inFlight]).toEqual([["a"], 0]);
});
