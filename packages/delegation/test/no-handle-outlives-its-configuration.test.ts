import { ClusterStates, createLoadBalancingPolicies, type ClusterModelBuilder } from "@proxy/cluster";
import type { Exchange } from "@proxy/http";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { DelegationError, Delegator, httpSysQueueKey } from "../src/index.ts";
import { ScriptedCarrier, StandingClock } from "./scripted-carrier.ts";

const queueName = fc.constantFrom("a", "A", "b", "c", "");
const prefix = fc.constantFrom("http://*:80/", "http://*:80", "HTTP://*:80/App", "http://*:80/app/");
const destination = fc.record({ queue: queueName, address: prefix });
const cluster = fc.dictionary(fc.constantFrom("d1", "d2", "d3"), destination);
const configuration = fc.dictionary(fc.constantFrom("c1", "c2"), cluster);
type Configuration = Record<string, Record<string, { queue: string; address: string }>>;

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("load" as const), configuration }) },
  fc.record({ kind: fc.constant("reset" as const), queue: queueName, prefix: fc.option(prefix, { nil: undefined }) }),
  fc.record({ kind: fc.constant("fail" as const), code: fc.constantFrom("NOT_FOUND" as const, "FAILED" as const, "GONE" as const) }),
  fc.record({ kind: fc.constant("lose" as const) }),
  fc.record({ kind: fc.constant("request" as const), at: fc.nat(5) }),
  fc.record({ kind: fc.constant("finish" as const), code: fc.constantFrom(undefined, "GONE" as const, "FAILED" as const) }),
  fc.record({ kind: fc.constant("time" as const), milliseconds: fc.nat(20_000) }),
);

const builder: ClusterModelBuilder = { cluster: (config) => ({ config, loadBalancing: createLoadBalancingPolicies().get("Random")! }) };

test.each(["sync", "async"] as const)("whatever is loaded, reset, lost and asked for, handles are those of the configuration (%s)", async (mode) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const clock = new StandingClock();
      const carrier = new ScriptedCarrier(mode);
      carrier.waits = true;
      const delegator = new Delegator({ carriers: [carrier], clock });
      const states = new ClusterStates(builder, [delegator]);
      let asked = 0;
      let answered = 0;
      let current: Configuration = {};
      const load = (next: Configuration): void => {
        current = next;
        states.prepare(Object.entries(next).map(([clusterId, destinations]) => ({
          clusterId,
          destinations: Object.fromEntries(Object.entries(destinations).map(([id, { queue, address }]) => [id, { address, metadata: { [httpSysQueueKey]: queue } }])),
        }))).commit();
      };
      const check = (): void => {
        const wanted = new Set(Object.values(current).flatMap((each) => Object.values(each).map(({ queue }) => queue.toLowerCase())));
        const open = [...carrier.open_.values()];
        const busy = new Set(delegator.rules.filter(({ handingOver }) => handingOver > 0).map(({ queueName: name }) => name.toLowerCase()));
        expect(open.length).toBe(new Set(open).size);
        for (const name of open) expect(wanted.has(name) || busy.has(name)).toBe(true);
        for (const { queueName: name, destinations, handingOver } of delegator.rules) {
          expect(destinations + handingOver).toBeGreaterThan(0);
          if (destinations > 0) expect(wanted.has(name.toLowerCase())).toBe(true);
        }
      };
      for (const each of steps) {
        if (each.kind === "load") load(each.configuration);
        else if (each.kind === "reset") delegator.resetQueue(each.queue, each.prefix);
        else if (each.kind === "fail") carrier.errors.push(new DelegationError(each.code, "scripted"));
        else if (each.kind === "lose") {
          const [handle] = carrier.open_.keys();
          handle?.onLost?.(new DelegationError("GONE", "scripted"));
        } else if (each.kind === "finish") carrier.pending.shift()?.(each.code === undefined ? undefined : new DelegationError(each.code, "scripted"));
        else if (each.kind === "time") clock.move(each.milliseconds);
        else {
          const all = states.all.flatMap(({ destinations }) => destinations.all).filter((one) => delegator.delegates(one));
          const one = all[each.at % Math.max(1, all.length)];
          if (one !== undefined) {
            asked++;
            delegator.delegate({} as Exchange, one, () => answered++);
          }
        }
        if (mode === "async") for (let i = 0; i < 4; i++) await Promise.resolve();
        check();
      }
      load({});
      for (let turn = 0; turn < 8 || carrier.pending.length > 0; turn++) {
        carrier.pending.shift()?.(undefined);
        await Promise.resolve();
      }
      expect({ handles: carrier.open_.size, rules: delegator.rules.length, timers: clock.timers.size, answered }).toEqual({ handles: 0, rules: 0, timers: 0, answered: asked });
    }),
    { numRuns: 300 },
  );
});
