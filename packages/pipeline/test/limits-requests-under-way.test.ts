import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CircuitBreakerConfig, ClusterConfig } from "@proxy/config";
import { insertAfter, insertBefore, type ProxyContext, type Step } from "@proxy/pipeline";
import { FakeClock } from "./support/fake-clock.ts";
import type { FakeCall } from "./support/fake-client.ts";
import { FakeExchange, type FakeRequest } from "./support/fake-exchange.ts";
import { oneCluster, testProxy, type TestProxy } from "./support/proxies.ts";

interface Limited extends TestProxy {
  readonly clock: FakeClock;
  /** The outcome of each request that is over, by the order of their coming. */
  readonly outcomes: (string | undefined)[];
  /** Starts a request and gives its exchange, and when it is over. */
  begin(request?: FakeRequest): Promise<{ exchange: FakeExchange; over: Promise<void> }>;
  /** Calls that the destinations got, in order. */
  calls(): FakeCall[];
  counts(): { active: number; waiting: number; admitted: number[] };
}

async function limited(
  circuitBreaker: CircuitBreakerConfig,
  ids: readonly string[] = ["a"],
  rest: Partial<ClusterConfig> = {},
  steps?: (steps: readonly Step[]) => readonly Step[],
  timeout?: number,
): Promise<Limited> {
  const clock = new FakeClock();
  const outcomes: (string | undefined)[] = [];
  const note: Step = {
    name: "note",
    async run(ctx, next) {
      try {
        await next(ctx);
      } finally {
        outcomes.push(ctx.outcome?.code);
      }
    },
  };
  const config = oneCluster(ids, { circuitBreaker, loadBalancingPolicy: "RoundRobin", ...rest });
  if (timeout !== undefined) Object.assign(config.routes?.["all"] ?? {}, { timeout });
  const tested = await testProxy(config, {
    clock,
    script: () => {},
    steps: (all) => insertBefore(steps?.(all) ?? all, "timeout", note),
  });
  return {
    ...tested,
    clock,
    outcomes,
    async begin(request) {
      const exchange = new FakeExchange(request);
      const over = Promise.resolve(tested.proxy.handle(exchange));
      await settled();
      return { exchange, over };
    },
    calls: () => tested.clients.flatMap(({ calls }) => calls),
    counts() {
      const cluster = tested.proxy.state.cluster("c");
      if (cluster?.limiter === undefined) throw new Error("no limiter");
      return {
        active: cluster.limiter.active,
        waiting: cluster.limiter.waiting,
        admitted: cluster.destinations.all.map((each) => each.admitted),
      };
    },
  };
}

async function settled(): Promise<void> {
  for (let i = 0; i < 40; i++) await Promise.resolve();
}

describe("a request beyond the limits", () => {
  it("is refused at once with 503 and Retry-After, and was sent nowhere", async () => {
    const { begin, calls, counts, outcomes, log, proxy } = await limited({ maxRequests: 1, retryAfter: 2_500 });
    const first = await begin();
    const { exchange, over } = await begin();
    await over;
    expect(exchange.response.status).toBe(503);
    expect(exchange.response.header("retry-after")).toBe("3");
    expect(exchange.response.header("content-length")).toBe("0");
    expect(outcomes).toEqual(["Overloaded"]);
    expect(calls()).toHaveLength(1);
    expect(proxy.state.cluster("c")?.limiter?.refused).toBe(1);
    expect(log.named("cluster-overloaded")).toMatchObject([{ level: "warning", fields: { cluster: "c", refused: 1, active: 1, waiting: 0 } }]);
    calls()[0]?.respond();
    await first.over;
    expect(counts()).toEqual({ active: 0, waiting: 0, admitted: [0] });
  });

  it("fills no log: an overload is told once a second, with the number", async () => {
    const { begin, clock, log } = await limited({ maxRequests: 1 });
    await begin();
    for (let i = 0; i < 50; i++) await (await begin()).over;
    clock.set(1_000);
    await (await begin()).over;
    expect(log.named("cluster-overloaded").map(({ fields }) => fields["refused"])).toEqual([1, 50]);
  });

  it("waits where it may, and goes on when one before it ends", async () => {
    const { begin, calls, counts, outcomes } = await limited({ maxRequests: 1, maxPendingRequests: 1 });
    const first = await begin();
    const second = await begin();
    expect(calls()).toHaveLength(1);
    expect(counts()).toEqual({ active: 1, waiting: 1, admitted: [1] });
    calls()[0]?.respond();
    await first.over;
    await settled();
    calls()[1]?.respond(204);
    await second.over;
    expect(second.exchange.response.status).toBe(204);
    expect(outcomes).toEqual([undefined, undefined]);
    expect(counts()).toEqual({ active: 0, waiting: 0, admitted: [0] });
  });

  it("waits no longer than it may", async () => {
    const { begin, clock, calls, counts, outcomes } = await limited({ maxRequests: 1, maxPendingRequests: 1, pendingTimeout: 700 });
    const first = await begin();
    const second = await begin();
    await clock.advance(700);
    await second.over;
    expect(second.exchange.response.status).toBe(503);
    expect(second.exchange.response.header("retry-after")).toBe("1");
    expect(outcomes).toEqual(["Overloaded"]);
    calls()[0]?.respond();
    await first.over;
    expect(calls()).toHaveLength(1);
    expect(counts()).toEqual({ active: 0, waiting: 0, admitted: [0] });
  });

  it("goes to a destination that has room, as long as one has", async () => {
    const { begin, calls } = await limited({ maxRequestsPerDestination: 2 }, ["a", "b"]);
    const begun = [];
    for (let i = 0; i < 5; i++) begun.push(await begin());
    const hosts = (): string[] => calls().map(({ origin }) => origin.host).sort();
    expect(hosts()).toEqual(["a.test", "a.test", "b.test", "b.test"]);
    expect(begun.at(-1)?.exchange.response.status).toBe(503);
    calls().find(({ origin }) => origin.host === "b.test")?.respond();
    await settled();
    await begin();
    expect(hosts().filter((host) => host === "b.test")).toHaveLength(3);
  });

  it("stays with the destination of its session", async () => {
    const sessionAffinity = { enabled: true, policy: "CustomHeader", affinityKeyName: "X-Session" };
    const { begin, calls, counts } = await limited({ maxRequestsPerDestination: 1, maxPendingRequests: 5 }, ["a", "b"], { sessionAffinity });
    const first = await begin();
    calls()[0]?.respond();
    await first.over;
    const host = calls()[0]?.origin.host;
    const key = first.exchange.response.header("x-session") ?? "";
    const headers = [["X-Session", key]] as const;
    await begin({ headers });
    const waiting = await begin({ headers });
    expect(counts().waiting).toBe(1);
    calls()[1]?.respond();
    await settled();
    expect(calls().map(({ origin }) => origin.host)).toEqual([host, host, host]);
    calls()[2]?.respond();
    await waiting.over;
  });

  it("is let in where another step awaited something between balancing and the limits", async () => {
    const late: Step = {
      name: "late",
      async run(ctx, next) {
        await Promise.resolve();
        await next(ctx);
      },
    };
    const { begin, calls, counts } = await limited({ maxRequestsPerDestination: 1, maxPendingRequests: 9 }, ["a", "b"], {}, (steps) =>
      insertAfter(steps, "load-balancing", late),
    );
    const both = await Promise.all([begin(), begin(), begin()]);
    expect(counts().active).toBe(2);
    for (let i = 0; i < 3; i++) {
      calls()[i]?.respond();
      await settled();
    }
    await Promise.all(both.map(({ over }) => over));
    expect(counts()).toEqual({ active: 0, waiting: 0, admitted: [0, 0] });
  });
});

describe("a slot", () => {
  const endings: readonly (readonly [string, (made: Limited, call: FakeCall | undefined, exchange: FakeExchange) => void])[] = [
    ["answers", (_made, call) => call?.respond()],
    ["refuses the connection", (_made, call) => call?.fail("connect")],
    ["breaks off", (_made, call) => (call?.begin(), call?.breakOff())],
    ["loses its client before the head", (_made, _call, exchange) => exchange.leave()],
    ["loses its client in the body", (_made, call, exchange) => (call?.begin(), exchange.leave())],
  ];
  it.each(endings)("comes back when a destination %s", async (_title, end) => {
    const made = await limited({ maxRequests: 1 });
    const { exchange, over } = await made.begin();
    expect(made.counts().active).toBe(1);
    end(made, made.calls()[0], exchange);
    await over;
    expect(made.counts()).toEqual({ active: 0, waiting: 0, admitted: [0] });
  });

  it("comes back when a step behind throws at once, or later", async () => {
    for (const run of [
      () => {
        throw new Error("bad");
      },
      async () => {
        await Promise.resolve();
        throw new Error("bad");
      },
      () => {},
    ]) {
      const made = await limited({ maxRequests: 1 }, ["a"], {}, (steps) => insertAfter(steps, "circuit-breaker", { name: "bad", run }));
      const { exchange, over } = await made.begin();
      await over;
      expect(exchange.response.status).toBe(500);
      expect(made.counts()).toEqual({ active: 0, waiting: 0, admitted: [0] });
    }
  });

  it("was never taken by a request whose client left, or whose time ran out, while it waited", async () => {
    const made = await limited({ maxRequests: 1, maxPendingRequests: 2 }, ["a"], {}, undefined, 20);
    const first = await made.begin();
    made.calls()[0]?.begin();
    const leaving = await made.begin();
    const late = await made.begin();
    expect(made.counts().waiting).toBe(2);
    leaving.exchange.leave();
    await leaving.over;
    expect(made.counts().waiting).toBe(1);
    expect(made.outcomes).toEqual(["RequestCanceled"]);
    // The clock of routes is not the cluster's: this waits for real.
    await late.over;
    expect(late.exchange.response.status).toBe(504);
    expect(made.outcomes).toEqual(["RequestCanceled", "RouteTimeout"]);
    expect(made.counts().waiting).toBe(0);
    first.exchange.leave();
    await first.over;
    expect(made.calls()).toHaveLength(1);
    expect(made.counts()).toEqual({ active: 0, waiting: 0, admitted: [0] });
  });

  it("is of the cluster that a step reassigned the request to", async () => {
    const clock = new FakeClock();
    const config = {
      routes: { all: { clusterId: "plain", match: { path: "/{**rest}" } } },
      clusters: {
        plain: { destinations: { p: { address: "http://p.test" } } },
        c: { destinations: { a: { address: "http://a.test" } }, circuitBreaker: { maxRequests: 1 } },
      },
    };
    const send: Step = {
      name: "elsewhere",
      run(ctx: ProxyContext, next) {
        const other = ctx.state.cluster("c");
        if (other !== undefined) ctx.reassign(other);
        return next(ctx);
      },
    };
    const { proxy } = await testProxy(config, { clock, script: () => {}, steps: (steps) => insertBefore(steps, "session-affinity", send) });
    const first = new FakeExchange();
    void proxy.handle(first);
    const second = new FakeExchange();
    await proxy.handle(second);
    expect(second.response.status).toBe(503);
    first.leave();
  });
});

describe("limits that come with a reload where there were none", () => {
  const config = (circuitBreaker?: CircuitBreakerConfig, ids: readonly string[] = ["a", "b"]) =>
    oneCluster(ids, { circuitBreaker, loadBalancingPolicy: "RoundRobin" });

  it("count what is under way, and let in as that ends", async () => {
    const { proxy, clients, send } = await testProxy(config(), { clock: new FakeClock(), script: () => {} });
    const before = [new FakeExchange(), new FakeExchange(), new FakeExchange()].map((exchange) => Promise.resolve(proxy.handle(exchange)));
    await settled();
    const calls = clients.flatMap((each) => each.calls);
    expect(calls).toHaveLength(3);
    await proxy.update(config({ maxRequests: 3, maxRequestsPerDestination: 2, maxPendingRequests: 1 }));
    const cluster = proxy.state.cluster("c");
    expect([cluster?.limiter?.active, cluster?.destinations.all.map(({ admitted }) => admitted)]).toEqual([3, [2, 1]]);
    const waits = new FakeExchange();
    const waited = proxy.handle(waits);
    expect((await send()).response.status).toBe(503);
    calls[0]?.respond();
    await before[0];
    await settled();
    const [last] = clients.flatMap((each) => each.calls).slice(3);
    expect(last).toBeDefined();
    for (const call of [...calls.slice(1), last]) call?.respond();
    await Promise.all([...before, waited]);
    expect([cluster?.limiter?.active, cluster?.destinations.all.map(({ admitted }) => admitted)]).toEqual([0, [0, 0]]);
    expect(waits.response.status).toBe(200);
  });

  it("count what is under way at a destination that the same reload takes away", async () => {
    const { proxy, clients, send } = await testProxy(config(undefined, ["a"]), { clock: new FakeClock(), script: () => {} });
    const first = proxy.handle(new FakeExchange());
    await proxy.update(config({ maxRequests: 1 }, ["b"]));
    const cluster = proxy.state.cluster("c");
    expect((await send()).response.status).toBe(503);
    clients.flatMap((each) => each.calls)[0]?.respond();
    await first;
    expect([cluster?.limiter?.active, cluster?.destinations.all.map(({ admitted }) => admitted)]).toEqual([0, [0]]);
  });
});

describe("whatever becomes of requests, in whatever order", () => {
  const move = fc.record({
    do: fc.constantFrom("begin", "begin", "begin", "respond", "respond", "fail", "breakOff", "leave", "leave", "advance", "raise", "lower"),
    which: fc.nat(50),
  });
  it("no slot is lost and no limit is passed", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(move, { maxLength: 40 }), async (moves) => {
        const limits = { maxRequests: 3, maxRequestsPerDestination: 2, maxPendingRequests: 2, pendingTimeout: 30 };
        const made = await limited(limits, ["a", "b"]);
        const begun: { exchange: FakeExchange; over: Promise<void> }[] = [];
        const ended = new Set<FakeCall>();
        for (const { do: what, which } of moves) {
          const open = made.calls().filter((each) => !ended.has(each) && each.aborted === undefined);
          const call = open[which % Math.max(open.length, 1)];
          if (what === "begin") begun.push(await made.begin());
          else if (what === "leave") begun[which % Math.max(begun.length, 1)]?.exchange.leave();
          else if (what === "advance") await made.clock.advance(which);
          else if (what === "raise" || what === "lower") {
            const changed = what === "raise" ? limits : { ...limits, maxRequests: 2 };
            await made.proxy.update(oneCluster(["a", "b"], { circuitBreaker: changed, loadBalancingPolicy: "RoundRobin" }));
          } else if (call !== undefined) {
            ended.add(call);
            if (what === "respond") call.respond();
            else if (what === "fail") call.fail();
            else {
              call.begin();
              call.breakOff();
            }
          }
          await settled();
          const { active, waiting, admitted } = made.counts();
          expect(active).toBeLessThanOrEqual(3);
          expect(waiting).toBeLessThanOrEqual(2);
          for (const each of admitted) expect(each).toBeLessThanOrEqual(2);
          expect(active).toBe(made.proxy.state.cluster("c")?.inFlight);
        }
        for (const { exchange } of begun) exchange.leave();
        await Promise.all(begun.map(({ over }) => over));
        expect(made.counts()).toEqual({ active: 0, waiting: 0, admitted: [0, 0] });
        expect(made.clock.pending).toEqual([]);
        await made.proxy.close();
      }),
      { numRuns: 60 },
    );
  });
});
