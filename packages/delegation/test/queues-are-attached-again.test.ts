import { ClusterStates, createLoadBalancingPolicies, type ClusterModelBuilder } from "@proxy/cluster";
import type { Exchange } from "@proxy/http";
import { expect, test } from "vitest";
import { DelegationError, Delegator, httpSysQueueKey, type HandOverFailure } from "../src/index.ts";
import { ScriptedCarrier, StandingClock } from "./scripted-carrier.ts";

const builder: ClusterModelBuilder = { cluster: (config) => ({ config, loadBalancing: createLoadBalancingPolicies().get("Random")! }) };

function start(...errors: DelegationError[]): {
  carrier: ScriptedCarrier; clock: StandingClock; delegator: Delegator; events: string[]; request(): HandOverFailure | undefined; counts(): unknown;
} {
  const carrier = new ScriptedCarrier();
  carrier.errors.push(...errors);
  const clock = new StandingClock();
  const events: string[] = [];
  const delegator = new Delegator({ carriers: [carrier], clock, onEvent: ({ type }) => events.push(type) });
  const states = new ClusterStates(builder, [delegator]);
  states.prepare([{ clusterId: "c", destinations: { d: { address: "http://*:80/App", metadata: { [httpSysQueueKey]: "Q" } } } }]).commit();
  const [destination] = states.get("c")!.destinations.all;
  return {
    carrier, clock, delegator, events,
    counts: () => delegator.counts(destination!),
    request() {
      let failure: HandOverFailure | undefined;
      delegator.delegate({} as Exchange, destination!, (each) => (failure = each));
      return failure;
    },
  };
}

test("a queue is found by name alone, and by its prefix in any spelling", () => {
  const { carrier, delegator } = start();
  expect(delegator.resetQueue("q", "HTTP://*:80/app/")).toBe(true);
  expect(carrier.open_.size).toBe(0);
  delegator.resetQueue("Q");
  expect([delegator.resetQueue("Q", "http://*:80/app"), delegator.resetQueue("q", "http://*:81/"), delegator.resetQueue("other")]).toEqual([true, false, false]);
});

test("after a reset the next request attaches again", () => {
  const { carrier, delegator, events, request } = start();
  delegator.resetQueue("Q");
  expect(request()).toBeUndefined();
  expect([carrier.opened, events]).toEqual([2, ["attached", "reset", "attached", "delegated"]]);
});

test("every error of attaching is tried again, twice as long apart each time up to ten seconds", () => {
  const denied = (): DelegationError => new DelegationError("FAILED", "5 access denied");
  const { carrier, clock, delegator, request } = start(...Array.from({ length: 11 }, denied));
  const attempts: number[] = [];
  for (let elapsed = 0; elapsed < 50_000; elapsed += 50) {
    const before = carrier.opened;
    clock.move(50);
    if (carrier.opened > before) attempts.push(clock.now());
  }
  expect(attempts).toEqual([100, 300, 700, 1500, 3100, 6300, 12_700, 22_700, 32_700, 42_700]);
  expect(delegator.rules).toMatchObject([{ state: "failed", error: { code: "FAILED" } }]);
  // Between attempts requests do not try.
  expect(request()).toMatchObject({ reason: "not-attached", error: { message: "5 access denied" } });
  clock.move(10_000);
  expect(request()).toBeUndefined();
});

test("a target that goes is attached again without a request", () => {
  const { carrier, clock, events } = start();
  const [handle] = carrier.open_.keys();
  handle!.onLost!(new DelegationError("GONE", "killed"));
  expect(carrier.open_.size).toBe(0);
  clock.move(100);
  expect([carrier.open_.size, events]).toEqual([1, ["attached", "lost", "attached"]]);
});

test("a hand-over that ends with a closed handle is tried once more, and no third time", () => {
  const { carrier, delegator, request } = start();
  carrier.waits = true;
  request();
  delegator.resetQueue("Q");
  expect(carrier.pending).toHaveLength(2);
  delegator.resetQueue("Q");
  expect(carrier.pending).toHaveLength(2);
  expect(delegator.rules).toMatchObject([{ handingOver: 0, destinations: 1 }]);
});

test("counts what each destination was given", () => {
  const { carrier, counts, delegator, request } = start();
  request();
  request();
  carrier.errors.push(new DelegationError("NOT_FOUND", "2"));
  delegator.resetQueue("Q");
  request();
  expect(counts()).toEqual({ delegated: 2, failed: 1, retried: 0 });
});
