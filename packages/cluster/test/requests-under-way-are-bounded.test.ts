import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ClusterStates, Drains, roundRobin, type ClusterState, type ConcurrencyLimiter, type DestinationState } from "@proxy/cluster";
import type { CircuitBreakerConfig } from "@proxy/config";
import { FakeClock } from "./support/fake-clock.ts";

interface Limited {
  readonly clock: FakeClock;
  readonly cluster: ClusterState;
  readonly limiter: ConcurrencyLimiter;
  load(limits: CircuitBreakerConfig | undefined, ids?: readonly string[]): void;
  of(id: string): DestinationState;
}

function limited(limits: CircuitBreakerConfig, ids: readonly string[] = ["a", "b"]): Limited {
  const clock = new FakeClock();
  const states = new ClusterStates({ cluster: (config) => ({ config, loadBalancing: roundRobin }) }, [new Drains([])], clock);
  const load = (circuitBreaker: CircuitBreakerConfig | undefined, of = ids): void => {
    const destinations = Object.fromEntries(of.map((id) => [id, { address: `http://${id}/` }]));
    states.prepare([{ clusterId: "c", destinations, circuitBreaker }]).commit();
  };
  load(limits);
  const cluster = states.get("c");
  if (cluster?.limiter === undefined) throw new Error("no limiter was made");
  return { clock, cluster, limiter: cluster.limiter, load, of: (id) => cluster.destinations.all.find((each) => each.id === id) as DestinationState };
}

/** Waits; `ends` gets the id that it ended with. */
function queue({ cluster, limiter }: Limited, ends: string[], name: string, candidates = cluster.destinations.available) {
  return limiter.wait({ candidates, pick: (withRoom) => withRoom[0], end: (destination) => ends.push(`${name}: ${destination?.id}`) });
}

describe("a cluster without limits", () => {
  it("has no limiter", () => {
    const states = new ClusterStates({ cluster: (config) => ({ config, loadBalancing: roundRobin }) });
    states.prepare([{ clusterId: "c", destinations: { a: { address: "http://a/" } } }]).commit();
    expect(states.get("c")?.limiter).toBeUndefined();
  });
});

describe("limits", () => {
  it("of the cluster count all its destinations together", () => {
    const { limiter, of } = limited({ maxRequests: 2 });
    expect([limiter.tryEnter(of("a")), limiter.tryEnter(of("b")), limiter.tryEnter(of("b"))]).toEqual([true, true, false]);
    limiter.leave(of("a"));
    expect(limiter.tryEnter(of("b"))).toBe(true);
    expect([limiter.active, of("a").admitted, of("b").admitted]).toEqual([2, 0, 2]);
  });

  it("of destinations leave those that are full out of the choice", () => {
    const { limiter, cluster, of } = limited({ maxRequestsPerDestination: 1 });
    const { available } = cluster.destinations;
    expect(limiter.withRoom(available)).toBe(available);
    limiter.tryEnter(of("a"));
    expect(limiter.withRoom(available)).toEqual([of("b")]);
    limiter.tryEnter(of("b"));
    expect(limiter.withRoom(available)).toEqual([]);
    limiter.leave(of("a"));
    expect(limiter.withRoom(available)).toEqual([of("a")]);
  });
});

describe("the queue", () => {
  it("is none by default", () => {
    const made = limited({ maxRequests: 1 });
    expect(queue(made, [], "x")).toBeUndefined();
    expect(made.limiter.refused).toBe(1);
  });

  it("lets in by order of arrival, and has no more places than it may", () => {
    const made = limited({ maxRequests: 1, maxPendingRequests: 2 });
    const ends: string[] = [];
    made.limiter.tryEnter(made.of("b"));
    expect([queue(made, ends, "first"), queue(made, ends, "second"), queue(made, ends, "third")].map((each) => each !== undefined)).toEqual([true, true, false]);
    made.limiter.leave(made.of("b"));
    expect(ends).toEqual(["first: a"]);
    made.limiter.leave(made.of("a"));
    expect(ends).toEqual(["first: a", "second: a"]);
    expect(made.clock.pending).toEqual([]);
  });

  it("does not keep waiting who can go where others cannot", () => {
    const made = limited({ maxRequestsPerDestination: 1, maxPendingRequests: 9 });
    const ends: string[] = [];
    made.limiter.tryEnter(made.of("a"));
    made.limiter.tryEnter(made.of("b"));
    queue(made, ends, "of session a", [made.of("a")]);
    queue(made, ends, "any");
    made.limiter.leave(made.of("b"));
    expect(ends).toEqual(["any: b"]);
    made.limiter.leave(made.of("a"));
    expect(ends).toEqual(["any: b", "of session a: a"]);
  });

  it("ends each wait at its own time, with one timer for all", async () => {
    const made = limited({ maxRequests: 1, maxPendingRequests: 9, pendingTimeout: 500 });
    const ends: string[] = [];
    made.limiter.tryEnter(made.of("a"));
    queue(made, ends, "first");
    await made.clock.advance(200);
    queue(made, ends, "second");
    expect(made.clock.pending).toEqual([300]);
    await made.clock.advance(299);
    expect(ends).toEqual([]);
    await made.clock.advance(1);
    expect(ends).toEqual(["first: undefined"]);
    expect(made.clock.pending).toEqual([200]);
    made.limiter.leave(made.of("a"));
    expect(ends).toEqual(["first: undefined", "second: a"]);
    expect(made.clock.pending).toEqual([]);
    expect([made.limiter.active, made.limiter.refused]).toEqual([1, 1]);
  });

  it("goes on although a policy throws: to one that has room", () => {
    const made = limited({ maxRequests: 1, maxPendingRequests: 1 });
    const ends: string[] = [];
    made.limiter.tryEnter(made.of("b"));
    made.limiter.wait({
      candidates: made.cluster.destinations.available,
      pick: () => {
        throw new Error("a bad policy");
      },
      end: (destination) => ends.push(String(destination?.id)),
    });
    made.limiter.leave(made.of("b"));
    expect(ends).toEqual(["a"]);
  });

  it("lets go of who gives up", () => {
    const made = limited({ maxRequests: 1, maxPendingRequests: 1 });
    const ends: string[] = [];
    made.limiter.tryEnter(made.of("a"));
    queue(made, ends, "first")?.();
    expect(made.limiter.waiting).toBe(0);
    expect(made.clock.pending).toEqual([]);
    expect(queue(made, ends, "second")).toBeDefined();
    made.limiter.leave(made.of("a"));
    expect(ends).toEqual(["second: a"]);
  });
});

describe("a reload", () => {
  it("lets in who waits when limits rise, when they go, and when destinations come", () => {
    for (const change of [
      (made: Limited) => made.load({ maxRequestsPerDestination: 2 }),
      (made: Limited) => made.load(undefined),
      (made: Limited) => made.load({ maxRequestsPerDestination: 1 }, ["a", "b", "z"]),
    ]) {
      const made = limited({ maxRequestsPerDestination: 1, maxPendingRequests: 1 });
      const ends: string[] = [];
      made.limiter.tryEnter(made.of("a"));
      made.limiter.tryEnter(made.of("b"));
      queue(made, ends, "one");
      change(made);
      expect(ends).toHaveLength(1);
      expect(ends[0]).not.toBe("one: undefined");
      expect(made.cluster.limiter).toBe(made.limiter);
    }
  });

  it("that takes a destination away sends nothing more there, also of those who wait for it alone", async () => {
    const made = limited({ maxRequestsPerDestination: 1, maxPendingRequests: 9, pendingTimeout: 500 });
    const ends: string[] = [];
    const a = made.of("a");
    made.limiter.tryEnter(a);
    queue(made, ends, "of session a", [a]);
    made.load({ maxRequestsPerDestination: 1, maxPendingRequests: 9, pendingTimeout: 500 }, ["b"]);
    made.limiter.leave(a);
    expect(ends).toEqual([]);
    await made.clock.advance(500);
    expect(ends).toEqual(["of session a: undefined"]);
    expect([made.limiter.active, made.limiter.waiting]).toEqual([0, 0]);
  });

  it("to lower limits holds for what comes", () => {
    const made = limited({ maxRequests: 3 });
    for (let i = 0; i < 3; i++) made.limiter.tryEnter(made.of("a"));
    made.load({ maxRequests: 2 });
    made.limiter.leave(made.of("a"));
    expect(made.limiter.tryEnter(made.of("a"))).toBe(false);
    made.limiter.leave(made.of("a"));
    expect(made.limiter.tryEnter(made.of("a"))).toBe(true);
  });
});

type Move =
  | { readonly do: "arrive"; readonly to: number }
  | { readonly do: "end"; readonly which: number }
  | { readonly do: "give up"; readonly which: number }
  | { readonly do: "wait"; readonly milliseconds: number }
  | { readonly do: "reload"; readonly limits: CircuitBreakerConfig | undefined; readonly count: number };

const limit = fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined });
const limits: fc.Arbitrary<CircuitBreakerConfig> = fc.record({
  maxRequests: limit,
  maxRequestsPerDestination: limit,
  maxPendingRequests: fc.integer({ min: 0, max: 4 }),
  pendingTimeout: fc.integer({ min: 1, max: 50 }),
});
const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("arrive" as const), to: fc.integer({ min: 0, max: 3 }) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("end" as const), which: fc.nat(99) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("give up" as const), which: fc.nat(99) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("wait" as const), milliseconds: fc.nat(40) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("reload" as const), limits: fc.option(limits, { nil: undefined }), count: fc.integer({ min: 1, max: 3 }) }),
  },
);

describe("whatever happens, in whatever order", () => {
  it("slots are never more than allowed for what comes, none is lost, and nobody waits who could go", async () => {
    await fc.assert(
      fc.asyncProperty(limits, fc.array(move, { maxLength: 60 }), async (first, moves) => {
        const made = limited(first, ["d0", "d1", "d2"]);
        const { limiter, cluster, clock } = made;
        let current: CircuitBreakerConfig | undefined = first;
        const running: DestinationState[] = [];
        const waiting = new Map<number, { readonly takeOut: () => void; candidates(): readonly DestinationState[] }>();
        let number = 0;
        /** What may be exceeded because an earlier configuration allowed it. */
        let inherited = 0;

        const arrive = (to: number): void => {
          const { available } = cluster.destinations;
          // 3: anywhere; else a session of one destination.
          const candidates = to === 3 ? available : available.slice(to % available.length, (to % available.length) + 1);
          const picked = limiter.withRoom(candidates)[0];
          if (picked !== undefined && limiter.tryEnter(picked)) {
            running.push(picked);
            return;
          }
          const id = number++;
          const takeOut = limiter.wait({
            candidates,
            pick: (withRoom) => withRoom[0],
            end(destination) {
              expect(waiting.delete(id)).toBe(true);
              if (destination !== undefined) running.push(destination);
            },
          });
          if (takeOut !== undefined) waiting.set(id, { takeOut, candidates: () => (to === 3 ? cluster.destinations.available : candidates) });
        };
        const check = (): void => {
          expect(limiter.active).toBe(running.length);
          expect(limiter.waiting).toBe(waiting.size);
          for (const each of new Set([...running, ...cluster.destinations.all])) {
            expect(each.admitted).toBe(running.filter((one) => one === each).length);
            expect(each.admitted).toBeLessThanOrEqual(Math.max(current?.maxRequestsPerDestination ?? Number.POSITIVE_INFINITY, inherited));
          }
          expect(limiter.active).toBeLessThanOrEqual(Math.max(current?.maxRequests ?? Number.POSITIVE_INFINITY, inherited));
          for (const { candidates } of waiting.values()) {
            expect(limiter.isFull || candidates().every((each) => !limiter.hasRoom(each) || each.drain?.cause === "removed")).toBe(true);
          }
          if (waiting.size === 0) expect(clock.pending).toEqual([]);
          inherited = Math.min(inherited, limiter.active);
        };

        for (const one of moves) {
          if (one.do === "arrive") arrive(one.to);
          else if (one.do === "end" && running.length > 0) {
            const [ended] = running.splice(one.which % running.length, 1);
            if (ended !== undefined) limiter.leave(ended);
          } else if (one.do === "give up" && waiting.size > 0) {
            const [id, { takeOut }] = [...waiting][one.which % waiting.size] as [number, { takeOut: () => void }];
            waiting.delete(id);
            takeOut();
          } else if (one.do === "wait") await clock.advance(one.milliseconds);
          else if (one.do === "reload") {
            current = one.limits;
            inherited = limiter.active;
            made.load(one.limits, ["d0", "d1", "d2"].slice(0, one.count));
          }
          check();
        }
        while (running.length > 0) {
          const ended = running.pop();
          if (ended !== undefined) limiter.leave(ended);
        }
        await clock.advance(100);
        for (const ended of running.splice(0)) limiter.leave(ended);
        expect([limiter.active, limiter.waiting]).toEqual([0, 0]);
        expect(clock.pending).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
  });
});
