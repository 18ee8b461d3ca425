/** Random events at a cache that many ask at once: everybody is answered once, with a whole answer of their own kind or a cut that is seen, and nothing stays behind. */
import * as fc from "fast-check";
import { insertBefore } from "@proxy/pipeline";
import { describe, expect, it } from "vitest";
// @boundaries-ignore the doubles of the pipeline's own tests
import type { FakeCall } from "../../../pipeline/test/support/fake-client.ts";
// @boundaries-ignore as above
import { FakeClock, settled } from "../../../pipeline/test/support/fake-clock.ts";
// @boundaries-ignore as above
import { FakeExchange } from "../../../pipeline/test/support/fake-exchange.ts";
// @boundaries-ignore as above
import { testProxy } from "../../../pipeline/test/support/proxies.ts";
import { memoryOutputCacheStore, type OutputCacheStore } from "../../src/index.ts";
import { compileCachePolicy } from "../../src/output-cache/cache-policy.ts";
import { cachedRoute, OutputCache } from "../../src/output-cache/output-cache.ts";
import { configOf } from "../proxies.ts";
import type { Fields, Policy } from "./cached-proxy.ts";

async function world(policy: Policy, store: OutputCacheStore = memoryOutputCacheStore({ sizeLimit: 10_000_000, maxVariants: 8 })) {
  const clock = new FakeClock();
  const cache = new OutputCache(compileCachePolicy({ name: "p", ...policy }), store, clock);
  const calls: FakeCall[] = [];
  const { proxy, log } = await testProxy(configOf({}), {
    clock,
    script: (call) => void calls.push(call),
    steps: (steps) => insertBefore(steps, "answer", { name: "output-cache", run: (ctx, next) => cache.serve(ctx, next, cachedRoute(ctx.route.config)) }),
  });
  const cluster = proxy.state.cluster("c");
  return {
    clock,
    cache,
    calls,
    proxy,
    log,
    ask(language = "de", target = "/") {
      const exchange = new FakeExchange({ target, headers: [["Accept-Language", language]] });
      void proxy.handle(exchange);
      return exchange;
    },
    /** What is still held. */
    left: () => [cache.filling, cluster?.inFlight, clock.pending.filter((delay) => delay <= 5000).length],
  };
}

type Outcome = "keep" | "private" | "vary" | "fail" | "cut" | "slow" | "not-modified";
type Event =
  | { readonly kind: "ask"; readonly language: string }
  | { readonly kind: "answer"; readonly index: number; readonly outcome: Outcome }
  | { readonly kind: "leave"; readonly index: number }
  | { readonly kind: "wait"; readonly milliseconds: number }
  | { readonly kind: "evict" };

const events: fc.Arbitrary<Event> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("ask" as const), language: fc.constantFrom("de", "fr", "en") }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("answer" as const), index: fc.nat(9), outcome: fc.constantFrom<Outcome>("keep", "private", "vary", "fail", "cut", "slow", "not-modified") }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("leave" as const), index: fc.nat(9) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("wait" as const), milliseconds: fc.constantFrom(10, 1000, 5000, 11_000, 61_000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("evict" as const) }) },
);

function answer(call: FakeCall, outcome: Outcome): boolean {
  const text = `whole ${call.request.headers.get("accept-language")}`;
  const control: Fields = [["Cache-Control", "max-age=60, stale-if-error=60, stale-while-revalidate=10"], ["ETag", '"t"']];
  switch (outcome) {
    case "keep":
      call.respond(200, control, text);
      return true;
    case "private":
      call.respond(200, [["Cache-Control", "private"]], text);
      return true;
    case "vary":
      call.respond(200, [...control, ["Vary", "Accept-Language"]], text);
      return true;
    case "not-modified":
      if (call.request.headers.has("if-none-match")) call.respond(304, control);
      else call.respond(200, control, text);
      return true;
    case "fail":
      call.fail();
      return true;
    case "cut":
      call.begin(200, control, "who");
      call.breakOff();
      return true;
    case "slow":
      call.begin(200, control, text.slice(0, 3));
      return false;
  }
}

describe("whatever happens in whatever order", () => {
  for (const policy of [{ tags: ["t"] }, { mode: "Http", tags: ["t"] }, { tags: ["t"], lockQueueLimit: 1 }, { mode: "Http", tags: ["t"], maximumBodySize: 5 }] as const satisfies readonly Policy[]) {
    it(`everybody is answered once, with ${JSON.stringify(policy)}`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(events, { minLength: 3, maxLength: 40 }), async (script) => {
          const { ask, calls, clock, cache, proxy, log, left } = await world(policy);
          const asked: FakeExchange[] = [];
          const gone = new Set<FakeExchange>();
          const begun: FakeCall[] = [];
          let answered = 0;
          const open: FakeCall[] = [];
          const take = (): void => {
            for (; answered < calls.length; answered++) open.push(calls[answered] as FakeCall);
          };
          for (const event of script) {
            if (event.kind === "ask") asked.push(ask(event.language));
            else if (event.kind === "wait") await clock.advance(event.milliseconds);
            else if (event.kind === "evict") await cache.evictByTag("t");
            else if (event.kind === "leave") {
              const exchange = asked[event.index % Math.max(asked.length, 1)];
              if (exchange !== undefined && !exchange.response.ended) {
                gone.add(exchange);
                exchange.leave();
              }
            } else {
              await settled();
              take();
              const [call] = open.splice(event.index % Math.max(open.length, 1), 1);
              if (call !== undefined && !answer(call, event.outcome)) begun.push(call);
            }
            await settled();
          }
          // The rest is answered, until nobody asks any more.
          for (let round = 0; round < 50; round++) {
            for (const call of begun.splice(0)) {
              call.more(`le ${call.request.headers.get("accept-language")}`);
              call.finish();
            }
            await settled();
            take();
            if (open.length === 0) break;
            for (const call of open.splice(0)) answer(call, "keep");
            await settled();
          }
          for (const { response } of asked.filter((exchange) => !gone.has(exchange))) {
            expect(response.ended).toBe(true);
            expect(response.started || response.aborted !== undefined).toBe(true);
            if (response.aborted === undefined && response.status === 200) expect(response.text).toMatch(/^who(?:le)? |^whole (?:de|fr|en)$/);
          }
          await clock.advance(6000);
          expect(left()).toEqual([0, 0, 0]);
          expect(log.named("step-failed")).toEqual([]);
          await proxy.close();
        }),
        { numRuns: 150 },
      );
    });
  }
});

describe("a store that fails", () => {
  it("is as if there were none", async () => {
    const fault = (): never => {
      throw new Error("the store is gone");
    };
    const rejects = (): Promise<never> => Promise.reject(new Error("the store is gone"));
    for (const store of [
      { get: fault, put: fault, remove: fault, evictByTag: () => 0, clear: () => {} },
      { get: rejects, put: rejects, remove: rejects, evictByTag: () => 0, clear: () => {} },
    ] satisfies OutputCacheStore[]) {
      const { ask, calls, left, log } = await world({}, store);
      for (let i = 0; i < 2; i++) {
        const exchange = ask();
        await settled();
        calls[i]?.respond(200, [], `answer ${i}`);
        await settled();
        expect(exchange.response.text).toBe(`answer ${i}`);
      }
      expect([left(), log.named("step-failed")]).toEqual([[0, 0, 0], []]);
    }
  });
});

describe("a step behind that throws", () => {
  it("answers 500, lets those who wait go on, and leaves nothing", async () => {
    for (const isLate of [false, true]) {
      const clock = new FakeClock();
      const cache = new OutputCache(compileCachePolicy({ name: "p" }), memoryOutputCacheStore({ sizeLimit: 1000, maxVariants: 1 }), clock);
      const { proxy } = await testProxy(configOf({}), {
        clock,
        steps: (steps) => [
          { name: "output-cache", run: (ctx, next) => cache.serve(ctx, next, cachedRoute(ctx.route.config)) },
          ...insertBefore(steps, "answer", {
            name: "broken",
            run() {
              if (isLate) return Promise.reject(new Error("broken"));
              throw new Error("broken");
            },
          }),
        ],
      });
      const all = [new FakeExchange(), new FakeExchange()];
      await Promise.all(all.map((exchange) => proxy.handle(exchange)));
      expect(all.map(({ response }) => response.status)).toEqual([500, 500]);
      expect(cache.filling).toBe(0);
    }
  });
});
