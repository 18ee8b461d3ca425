/** Queues of rate limits: who is served, who gives way, and what becomes of those who wait when their limit, their client or the proxy goes. */
import { connect, type Socket } from "node:net";
import { describe, expect, it } from "vitest";
import type { ProxyConfigInput, RateLimiterPolicyConfig, RouteConfig } from "@proxy/config";
import { createEngineServer } from "@proxy/http";
import { createReverseProxy, insertBefore } from "@proxy/pipeline";
// @boundaries-ignore the doubles of the pipeline's own tests
import { FakeClock, settled } from "../../pipeline/test/support/fake-clock.ts";
// @boundaries-ignore the doubles of the pipeline's own tests
import { FakeExchange } from "../../pipeline/test/support/fake-exchange.ts";
// @boundaries-ignore the doubles of the pipeline's own tests
import { exchangeBytes, rawDestination } from "../../pipeline/test/support/raw-sockets.ts";
import { createEdgePolicies, memoryRateLimitStore, type RateLimitDecision, type RateLimitStoreFactory } from "../src/index.ts";
import { configOf, edgeProxy } from "./proxies.ts";

type Policy = Omit<RateLimiterPolicyConfig, "name">;

const named: Partial<RouteConfig> = { rateLimiterPolicy: "p" };
const configWith = (policy: Policy, route = named): ProxyConfigInput => configOf({ rateLimiter: { p: policy } }, route);

/** A proxy with a limit and destinations that answer by hand, and `count` requests at it. */
async function queued(policy: Policy, count: number, rateLimitStore?: RateLimitStoreFactory) {
  const clock = new FakeClock();
  const made = await edgeProxy(configWith(policy), { rateLimitStore }, { clock });
  const [client] = made.clients;
  if (client !== undefined) client.script = undefined;
  const idle = clock.pending.length;
  const all: FakeExchange[] = [];
  const begin = (): FakeExchange => {
    const exchange = new FakeExchange({ target: `/${all.length}` });
    all.push(exchange);
    void made.proxy.handle(exchange);
    return exchange;
  };
  for (let i = 0; i < count; i++) begin();
  await settled();
  return { ...made, clock, client, all, begin, calls: () => client?.calls.length ?? 0, statuses: () => all.map(({ response }) => response.status), timers: () => clock.pending.length - idle };
}

/** As one that gateways share: its answers come later. */
const lateStore: RateLimitStoreFactory = (limit, options) => {
  const store = memoryRateLimitStore(limit, options);
  return {
    async take(key, now) {
      const decision = store.take(key, now) as RateLimitDecision;
      const { allowed, remaining, resetAfter, retryAfter } = decision;
      await Promise.resolve();
      return { allowed, remaining, resetAfter, retryAfter };
    },
  };
};

const limits: readonly [string, Policy, RateLimitStoreFactory | undefined][] = [
  ["FixedWindow", { permitLimit: 1, window: 1000, queueLimit: 3 }, undefined],
  ["SlidingWindow", { algorithm: "SlidingWindow", permitLimit: 1, window: 1000, queueLimit: 3 }, undefined],
  ["TokenBucket", { algorithm: "TokenBucket", permitLimit: 1, window: 1000, queueLimit: 3 }, undefined],
  ["Concurrency", { algorithm: "Concurrency", permitLimit: 1, queueLimit: 3 }, undefined],
  ["a store that answers later", { permitLimit: 1, window: 1000, queueLimit: 3 }, lateStore],
];

for (const [name, policy, store] of limits) {
  describe(`those who wait (${name})`, () => {
    const given = (exchange: FakeExchange | undefined) => [exchange?.response.status, exchange?.response.header("Retry-After"), exchange?.response.header("RateLimit")];

    it("are answered at once when the proxy closes, and no timer is left", async () => {
      const { all, proxy, timers, clock, calls, log } = await queued(policy, 4, store);
      expect([calls(), timers() > 0]).toEqual([1, true]);
      const closing = proxy.close();
      await settled();
      for (const waiting of all.slice(1)) expect(given(waiting)).toEqual([503, "1", undefined]);
      all[0]?.leave();
      await closing;
      await settled();
      expect([timers(), clock.pending]).toEqual([0, []]);
      await clock.advance(60_000);
      expect([calls(), log.named("step-failed")]).toEqual([1, []]);
    });

    for (const [change, next] of [
      ["takes the limit away", configOf(undefined, {})],
      ["has the route name none", configWith(policy, {})],
      ["changes the limit", configWith({ ...policy, permitLimit: 5 })],
    ] as const) {
      it(`are answered at once when a reload ${change}, and no timer is left`, async () => {
        const { all, proxy, timers, statuses, clock, client, calls, begin } = await queued(policy, 4, store);
        await proxy.update(next);
        await settled();
        if (change === "has the route name none") {
          // A policy that is still there goes on for those who came under it.
          expect(statuses()).toEqual([undefined, undefined, undefined, undefined]);
          for (const each of all) each.leave();
        } else {
          for (const waiting of all.slice(1)) expect(given(waiting)).toEqual([503, "1", undefined]);
          all[0]?.leave();
          const later = begin();
          await settled();
          client?.calls.at(-1)?.respond();
          await settled();
          expect([later.response.status, calls()]).toEqual([200, 2]);
        }
        await settled();
        await clock.advance(2000);
        expect(timers()).toBe(0);
        await proxy.close();
      });
    }

    it("go on through a reload that leaves the limit as it is, and through one that is refused", async () => {
      const { all, proxy, statuses, client, clock, calls } = await queued(policy, 2, store);
      await proxy.update(configWith(policy, { ...named, order: 1 }));
      await expect(proxy.update(configWith({ ...policy, permitLimit: 0 }))).rejects.toThrow("PermitLimit");
      await settled();
      expect(statuses()).toEqual([undefined, undefined]);
      client?.calls[0]?.respond();
      await clock.advance(2000);
      client?.calls[1]?.respond();
      await settled();
      expect([calls(), ...statuses()]).toEqual([2, 200, 200]);
      expect(all.every(({ response }) => response.ended)).toBe(true);
      await proxy.close();
    });

    it("who leave are not asked for, and hold nobody up", async () => {
      const { all, statuses, client, clock, calls, timers } = await queued(policy, 4, store);
      all[1]?.leave();
      all[3]?.leave();
      client?.calls[0]?.respond();
      await clock.advance(2000);
      client?.calls[1]?.respond();
      await clock.advance(10_000);
      expect([calls(), ...statuses()]).toEqual([2, 200, undefined, 200, undefined]);
      expect(timers()).toBe(0);
    });

    it("leave no timer when all of them leave", async () => {
      const { all, client, timers } = await queued(policy, 4, store);
      client?.calls[0]?.respond();
      for (const each of all) each.leave();
      await settled();
      expect(timers()).toBe(0);
    });

    it("are served newest first where the policy says so, and the oldest gives way in a full queue", async () => {
      const { statuses, client, clock, begin, timers } = await queued({ ...policy, queueLimit: 2, queueProcessingOrder: "NewestFirst" }, 3, store);
      expect(statuses()).toEqual([undefined, undefined, undefined]);
      begin();
      await settled();
      // Of those who wait it came first.
      expect(statuses()).toEqual([undefined, 429, undefined, undefined]);
      for (let i = 0; i < 3; i++) {
        client?.calls[i]?.respond();
        await clock.advance(2000);
      }
      expect(client?.calls.map(({ request }) => request.target)).toEqual(["/0", "/3", "/2"]);
      expect(statuses()).toEqual([200, 429, 200, 200]);
      expect(timers()).toBe(0);
    });

    it("wait no longer than their patience, whoever is served before them", async () => {
      // One permit comes within that time.
      const short = policy.window === undefined ? {} : { window: policy.algorithm === "SlidingWindow" ? 200 : 400 };
      const { statuses, client, clock, timers } = await queued({ ...policy, ...short, queueTimeout: 500 }, 4, store);
      await clock.advance(499);
      expect(statuses().filter((status) => status === 429)).toEqual([]);
      await clock.advance(1);
      const refused = statuses().filter((status) => status === 429).length;
      expect(refused).toBe(name === "Concurrency" ? 3 : 2);
      for (const call of client?.calls ?? []) call.respond();
      await settled();
      expect(statuses().filter((status) => status === 200).length).toBe(4 - refused);
      expect(timers()).toBe(0);
    });
  });
}

describe("a request that a full queue refuses", () => {
  for (const [algorithm, permitLimit, waiting, expected] of [
    // The next window has room for two, of whom two wait: it is the one after that.
    ["FixedWindow", 2, 2, "20"],
    ["FixedWindow", 2, 1, "10"],
    ["TokenBucket", 2, 2, "15"],
    ["TokenBucket", 1, 1, "20"],
    // 10 s until there is room for one of two, and 5 s for each who waits.
    ["SlidingWindow", 2, 1, "20"],
  ] as const) {
    it(`is told when those who wait have had their permits (${algorithm}, ${permitLimit} in 10 s, ${waiting} wait)`, async () => {
      const { begin, clock } = await queued({ algorithm, permitLimit, window: 10_000, queueLimit: waiting, queueTimeout: 60_000 }, permitLimit + waiting);
      const refused = begin();
      await settled();
      expect([refused.response.status, refused.response.header("Retry-After")]).toEqual([429, expected]);
      // It is true: then there is a permit, and not before.
      await clock.advance(Number(expected) * 1000 - 1001);
      const early = begin();
      await settled();
      await clock.advance(1001);
      const then = begin();
      await settled();
      expect([early.response.status === undefined || early.response.status === 429, then.response.status]).toEqual([true, undefined]);
    });
  }
});

describe("over the wire", () => {
  async function gateway(policy: Policy) {
    const asked: string[] = [];
    /** Those that have come to the limit. */
    const arrived: string[] = [];
    const held: Socket[] = [];
    const seen = new WeakMap<Socket, number>();
    const destination = await rawDestination((received, socket) => {
      const heads = received.split("\r\n\r\n").slice(0, -1);
      for (let i = seen.get(socket) ?? 0; i < heads.length; i++) {
        seen.set(socket, i + 1);
        asked.push((heads[i] as string).split(" ", 2)[1] as string);
        held.push(socket);
      }
    });
    const proxy = await createReverseProxy({
      config: { ...configWith(policy), clusters: { c: { destinations: { d: { address: `http://127.0.0.1:${destination.port}/` } } } } },
      extensions: [createEdgePolicies()],
      steps: (steps) =>
        insertBefore(steps, "rate-limiter", {
          name: "arrivals",
          run(ctx, next) {
            arrived.push(ctx.exchange.request.path);
            return next(ctx);
          },
        }),
    });
    const server = createEngineServer({ handler: proxy.handle });
    const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
    const until = async (isTrue: () => boolean): Promise<void> => {
      while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 2));
    };
    return {
      proxy,
      port,
      asked,
      arrived,
      until,
      server,
      answer: () => held.shift()?.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
      get: (path: string) => exchangeBytes(port, `GET ${path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`),
      async close() {
        await server.close(100);
        await proxy.close();
        await destination.close();
      },
    };
  }

  it("those who wait get 503 when the proxy closes", async () => {
    const { proxy, get, asked, arrived, until, answer, close } = await gateway({ algorithm: "Concurrency", permitLimit: 1, queueLimit: 10, queueTimeout: 3_600_000 });
    try {
      const first = get("/1");
      await until(() => asked.length === 1);
      const waiting = [get("/2"), get("/3")];
      await until(() => arrived.length === 3);
      const closing = proxy.close();
      for (const text of await Promise.all(waiting)) expect(text).toMatch(/^HTTP\/1\.1 503 [^]*retry-after: 1\r\n/i);
      answer();
      await first.catch(() => "");
      await closing;
      expect(asked).toEqual(["/1"]);
    } finally {
      await close();
    }
  });

  it("a client that leaves while it waits is not asked for", async () => {
    const { get, asked, arrived, until, answer, close, server, port } = await gateway({ algorithm: "Concurrency", permitLimit: 1, queueLimit: 10, queueTimeout: 3_600_000 });
    try {
      const first = get("/1");
      await until(() => asked.length === 1);
      const leaver = connect(port, "127.0.0.1");
      leaver.on("error", () => {});
      leaver.write("GET /2 HTTP/1.1\r\nHost: h\r\n\r\n");
      await until(() => arrived.length === 2);
      const last = get("/3");
      await until(() => arrived.length === 3);
      leaver.destroy();
      await until(() => server.connectionCount === 2);
      answer();
      expect(await first).toMatch(/^HTTP\/1\.1 200 /);
      await until(() => asked.length === 2);
      answer();
      expect(await last).toMatch(/^HTTP\/1\.1 200 /);
      expect(asked).toEqual(["/1", "/3"]);
    } finally {
      await close();
    }
  });
});
