import { describe, expect, it } from "vitest";
import type { RateLimiterPolicyConfig } from "@proxy/config";
import { insertAfter, type ReverseProxyOptions } from "@proxy/pipeline";
// @boundaries-ignore the doubles of the pipeline's own tests
import { FakeClock, settled } from "../../pipeline/test/support/fake-clock.ts";
// @boundaries-ignore the doubles of the pipeline's own tests
import { FakeExchange, type FakeRequest } from "../../pipeline/test/support/fake-exchange.ts";
import { setUser, type RateLimitStoreFactory } from "../src/index.ts";
import { configOf, edgeProxy } from "./proxies.ts";

type Policy = Omit<RateLimiterPolicyConfig, "name">;

async function limited(policy: Policy, options: Partial<ReverseProxyOptions> = {}) {
  const clock = new FakeClock();
  const made = await edgeProxy(configOf({ rateLimiter: { p: policy } }, { rateLimiterPolicy: "p" }), {}, { clock, ...options });
  const statuses = async (count: number, request?: FakeRequest): Promise<(number | undefined)[]> => {
    const all: (number | undefined)[] = [];
    for (let i = 0; i < count; i++) all.push((await made.send(request)).response.status);
    return all;
  };
  return { ...made, clock, statuses };
}

describe("a fixed window", () => {
  it("lets so many through and refuses the others until it ends", async () => {
    const { statuses, send, clock } = await limited({ permitLimit: 2, window: 10_000 });
    expect(await statuses(3)).toEqual([200, 200, 429]);
    clock.set(4_000);
    const { response } = await send();
    expect(response.status).toBe(429);
    expect(response.header("Retry-After")).toBe("6");
    clock.set(10_000);
    expect(await statuses(3)).toEqual([200, 200, 429]);
  });

  it("tells what is left with each answer, in the fields of the draft", async () => {
    const { send, clock } = await limited({ permitLimit: 2, window: 10_000 });
    clock.set(1);
    const first = await send();
    expect(first.response.header("RateLimit-Policy")).toBe('"p";q=2;w=10');
    expect(first.response.header("RateLimit")).toBe('"p";r=1;t=10');
    clock.set(5_001);
    await send();
    expect((await send()).response.header("RateLimit")).toBe('"p";r=0;t=5');
  });

  it("keeps silent and has another status where the policy says so", async () => {
    const { send } = await limited({ permitLimit: 1, statusCode: 503, sendHeaders: false });
    expect((await send()).response.header("RateLimit")).toBe(undefined);
    const { response } = await send();
    expect([response.status, response.header("RateLimit"), response.header("Retry-After")]).toEqual([503, undefined, "60"]);
  });
});

describe("a sliding window", () => {
  it("lets the one before fade out", async () => {
    const { statuses, clock, send } = await limited({ algorithm: "SlidingWindow", permitLimit: 10, window: 10_000 });
    expect(await statuses(11)).toEqual([...Array.from({ length: 10 }, () => 200), 429]);
    clock.set(10_000);
    expect(await statuses(1)).toEqual([429]);
    clock.set(15_000);
    expect(await statuses(6)).toEqual([200, 200, 200, 200, 200, 429]);
    const wait = Number((await send()).response.header("Retry-After"));
    clock.set(15_000 + wait * 1000);
    expect(await statuses(1)).toEqual([200]);
    clock.set(100_000);
    expect((await statuses(11)).filter((status) => status === 200).length).toBe(10);
  });
});

describe("a token bucket", () => {
  it("fills evenly and never beyond what it holds", async () => {
    const { statuses, clock, send } = await limited({ algorithm: "TokenBucket", permitLimit: 5, window: 10_000 });
    expect(await statuses(6)).toEqual([200, 200, 200, 200, 200, 429]);
    clock.set(2_000);
    expect(await statuses(2)).toEqual([200, 429]);
    expect((await send()).response.header("Retry-After")).toBe("2");
    clock.set(1_000_000);
    expect(await statuses(6)).toEqual([200, 200, 200, 200, 200, 429]);
  });
});

describe("concurrency", () => {
  it("counts requests under way, and gives permits back however they end", async () => {
    const { proxy, clients, log } = await limited({ algorithm: "Concurrency", permitLimit: 2 });
    const begin = (): FakeExchange => {
      const exchange = new FakeExchange();
      void proxy.handle(exchange);
      return exchange;
    };
    const client = clients[0];
    if (client !== undefined) client.script = undefined;
    const [a, b, c] = [begin(), begin(), begin()];
    expect(c?.response.status).toBe(429);
    expect(c?.response.header("RateLimit-Policy")).toBe('"p";q=2;qu="concurrent-requests"');
    a?.leave();
    const d = begin();
    expect(d.response.started).toBe(false);
    client?.last.respond();
    await settled();
    expect(d.response.status).toBe(200);
    expect(begin().response.started).toBe(false);
    expect(begin().response.status).toBe(429);
    expect(b?.response.started).toBe(false);
    expect(log.named("step-failed")).toEqual([]);
  });
});

describe("those who share a count", () => {
  const one: Policy = { permitLimit: 1 };

  it("are those of one address, of IPv6 those of one network", async () => {
    const { statuses } = await limited(one);
    const of = (remoteAddress: string) => statuses(1, { remoteAddress });
    expect(await of("192.0.2.1")).toEqual([200]);
    expect(await of("192.0.2.1")).toEqual([429]);
    expect(await of("192.0.2.2")).toEqual([200]);
    expect(await of("2001:db8::1")).toEqual([200]);
    expect(await of("2001:db8:0:0:1:2:3:4")).toEqual([429]);
    expect(await of("2001:db8:0:1::1")).toEqual([200]);
    expect(await of("::1")).toEqual([200]);
  });

  it("are those of the client behind a trusted proxy, and nobody who only says so", async () => {
    const { statuses } = await limited(one, { trustedProxies: ["10.0.0.1"] });
    const behind = (remoteAddress: string, client: string) => statuses(1, { remoteAddress, headers: [["X-Forwarded-For", client]] });
    expect([...(await behind("10.0.0.1", "192.0.2.1")), ...(await behind("10.0.0.1", "192.0.2.2")), ...(await behind("10.0.0.1", "192.0.2.1"))]).toEqual([200, 200, 429]);
    expect([...(await behind("192.0.2.9", "192.0.2.50")), ...(await behind("192.0.2.9", "192.0.2.51"))]).toEqual([200, 429]);
  });

  it("are those of a header's value, without one those of an address", async () => {
    const { statuses } = await limited({ ...one, partitionBy: "Header", headerName: "X-Key" });
    const of = (key: string) => statuses(1, { headers: [["x-key", key]] });
    expect([...(await of("a")), ...(await of("b")), ...(await of("a"))]).toEqual([200, 200, 429]);
    expect(await statuses(2)).toEqual([200, 429]);
    expect(await of("192.0.2.7")).toEqual([200]);
  });

  it("are those of a user, once a step knows who it is", async () => {
    const { statuses } = await limited({ ...one, partitionBy: "User" }, {
      steps: (steps) => insertAfter(steps, "rate-limiter", {
        name: "who",
        run(ctx, next) {
          const user = ctx.exchange.request.headers.get("x-test-user");
          if (user !== undefined) setUser(ctx, user);
          return next(ctx);
        },
      }),
    });
    const of = (user: string) => statuses(1, { headers: [["X-Test-User", user]] });
    expect([...(await of("ann")), ...(await of("bob")), ...(await of("ann"))]).toEqual([200, 200, 429]);
    expect(await statuses(2)).toEqual([200, 429]);
  });

  it("are all of a route, or all", async () => {
    const clock = new FakeClock();
    const routes = Object.fromEntries(["a", "b"].map((id) => [id, { clusterId: "c", match: { path: `/${id}` }, rateLimiterPolicy: "p" }]));
    for (const [partitionBy, expected] of [["Route", [200, 200, 429]], ["None", [200, 429, 429]]] as const) {
      const { send } = await edgeProxy({ ...configOf({ rateLimiter: { p: { ...one, partitionBy } } }), routes }, {}, { clock });
      const statuses = [];
      for (const [index, target] of ["/a", "/b", "/a"].entries()) statuses.push((await send({ target, remoteAddress: `192.0.2.${index}` })).response.status);
      expect(statuses).toEqual(expected);
    }
  });
});

describe("the global limiter", () => {
  it("holds for all routes beside their own, and not for those that disable it", async () => {
    const { send } = await edgeProxy(
      {
        ...configOf({ rateLimiter: { Default: { permitLimit: 3 }, tight: { permitLimit: 1 } } }),
        routes: {
          plain: { clusterId: "c", match: { path: "/plain" } },
          named: { clusterId: "c", match: { path: "/named" }, rateLimiterPolicy: "tight" },
          global: { clusterId: "c", match: { path: "/global" }, rateLimiterPolicy: "Default" },
          off: { clusterId: "c", match: { path: "/off" }, rateLimiterPolicy: "Disable" },
        },
      },
      {},
      { clock: new FakeClock() },
    );
    const statuses = [];
    for (const target of ["/named", "/named", "/plain", "/global", "/off"]) statuses.push((await send({ target })).response.status);
    expect(statuses).toEqual([200, 429, 200, 429, 200]);
  });
});

describe("a queue", () => {
  it("lets requests wait for a permit, in order, and no more than it holds", async () => {
    const { proxy, clock } = await limited({ permitLimit: 1, window: 1000, queueLimit: 2 });
    const all = Array.from({ length: 4 }, () => new FakeExchange());
    for (const exchange of all) void proxy.handle(exchange);
    await settled();
    expect(all.map(({ response }) => response.status)).toEqual([200, undefined, undefined, 429]);
    await clock.advance(1000);
    expect(all.map(({ response }) => response.status)).toEqual([200, 200, undefined, 429]);
    await clock.advance(1000);
    expect(all.map(({ response }) => response.status)).toEqual([200, 200, 200, 429]);
    expect(clock.pending.filter((delay) => delay < 10_000)).toEqual([]);
  });

  it("refuses at once whom no permit can reach in time", async () => {
    const { statuses } = await limited({ permitLimit: 1, window: 60_000, queueLimit: 5, queueTimeout: 10_000 });
    expect(await statuses(2)).toEqual([200, 429]);
  });

  it("forgets those who leave", async () => {
    const { proxy, clock, clients } = await limited({ permitLimit: 1, window: 1000, queueLimit: 1 });
    const all = Array.from({ length: 2 }, () => new FakeExchange());
    for (const exchange of all) void proxy.handle(exchange);
    await settled();
    all[1]?.leave();
    const next = new FakeExchange();
    void proxy.handle(next);
    await clock.advance(1000);
    expect(next.response.status).toBe(200);
    expect(clients[0]?.calls.length).toBe(2);
  });

  it("of concurrency is served when a request ends, and gives up in time", async () => {
    const { proxy, clients, clock } = await limited({ algorithm: "Concurrency", permitLimit: 1, queueLimit: 2, queueTimeout: 5000 });
    const client = clients[0];
    if (client !== undefined) client.script = undefined;
    const all = Array.from({ length: 4 }, () => new FakeExchange());
    for (const exchange of all) void proxy.handle(exchange);
    await settled();
    expect(all.map(({ response }) => response.status)).toEqual([undefined, undefined, undefined, 429]);
    client?.last.respond();
    await settled();
    expect(client?.calls.length).toBe(2);
    await clock.advance(5000);
    expect(all.map(({ response }) => response.status)).toEqual([200, undefined, 429, 429]);
    client?.last.respond();
    await settled();
    expect(all[1]?.response.status).toBe(200);
  });
});

describe("counts", () => {
  it("outlive a reload that leaves their policy as it is", async () => {
    const { statuses, proxy } = await limited({ permitLimit: 2 });
    expect(await statuses(1)).toEqual([200]);
    await proxy.update(configOf({ rateLimiter: { P: { permitLimit: 2 }, other: { permitLimit: 1 } }, cors: {} }, { rateLimiterPolicy: "p", order: 1 }));
    await proxy.update(configOf({ rateLimiter: { P: { permitLimit: 2 } } }, { rateLimiterPolicy: "p" }));
    const after = await statuses(3);
    await proxy.update(configOf({ rateLimiter: { P: { permitLimit: 1 } } }, { rateLimiterPolicy: "p" }));
    expect([after, await statuses(2)]).toEqual([[200, 200, 429], [200, 429]]);
  });

  it("may be kept by a store that answers later", async () => {
    const counts = new Map<string, number>();
    const store: RateLimitStoreFactory = ({ permits }, { name }) => ({
      async take(key) {
        await Promise.resolve();
        const count = (counts.get(`${name} ${key}`) ?? 0) + 1;
        counts.set(`${name} ${key}`, count);
        return { allowed: count <= permits, remaining: Math.max(permits - count, 0), resetAfter: 1000, retryAfter: count <= permits ? 0 : 1000 };
      },
    });
    const { send } = await edgeProxy(configOf({ rateLimiter: { p: { permitLimit: 1 } } }, { rateLimiterPolicy: "p" }), { rateLimitStore: store });
    expect([(await send()).response.status, (await send()).response.status]).toEqual([200, 429]);
    expect([...counts]).toEqual([["p 192.0.2.7", 2]]);
  });

  it("that cannot be had are a failure of the request, and not leave for it", async () => {
    const store: RateLimitStoreFactory = () => ({ take: () => Promise.reject(new Error("the store is gone")) });
    const { send, clients, log } = await edgeProxy(configOf({ rateLimiter: { p: { permitLimit: 1 } } }, { rateLimiterPolicy: "p" }), { rateLimitStore: store });
    expect((await send()).response.status).toBe(500);
    expect(clients[0]?.calls.length).toBe(0);
    expect(log.named("step-failed").length).toBe(1);
  });
});
