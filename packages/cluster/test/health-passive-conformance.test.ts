import { afterAll, describe, expect, it } from "vitest";
import {
  HealthUpdater,
  isTransportFailure,
  transportFailureRate,
  type ClusterState,
  type DestinationState,
  type HealthStatus,
} from "@proxy/cluster";
import { parseDuration } from "@proxy/config";
import { loadArea, type ConformanceCase, type Shapeless } from "@proxy/conformance";
import { reportArea } from "@proxy/conformance/report";
import { FakeClock } from "./support/fake-clock.ts";
import { configOf, load, statesOf } from "./support/states.ts";

// The shape differs by case.
/** Middleware and scenarios stand with the step in the tests of the pipeline. */
const kinds: ReadonlySet<string> = new Set(["rate", "error", "updater"]);
const cases = loadArea("health-passive").cases.filter((each) => kinds.has(each.given.kind));

describe("conformance: health-passive, policies", () => {
  let held = 0;
  afterAll(() => reportArea("health-passive (policies)", { held, superseded: 0, failed: cases.length - held }));
  for (const each of cases) {
    it(`${each.id}: ${each.title}`, async () => {
      await check(each);
      held++;
    });
  }
});

async function check({ given, expect: expected }: ConformanceCase): Promise<void> {
  if (given.kind === "rate") checkRate(given, expected);
  else if (given.kind === "updater") await checkUpdater(given, expected);
  else {
    const error = given.error === "None" ? undefined : given.error;
    expect(isTransportFailure({ error, clientGone: given.clientAborted })).toBe(expected.countsAsFailure);
  }
}

/** Notes what it is told, and sets it. */
class NotingUpdater extends HealthUpdater {
  reactivation: number | undefined = undefined;

  override setPassive(cluster: ClusterState, destination: DestinationState, health: HealthStatus, reactivation: number, reason: string): void {
    this.reactivation = reactivation;
    super.setPassive(cluster, destination, health, reactivation, reason);
  }
}

function checkRate(given: Shapeless, expected: Shapeless): void {
  const clock = new FakeClock();
  const updater = new NotingUpdater({ clock });
  const ids = [...new Set<string>(given.events.map((event: Shapeless) => event.destination))];
  const [cluster] = load(
    statesOf(),
    configOf("c", ids, {
      metadata: given.clusterLimit === null ? {} : { "TransportFailureRateHealthPolicy.RateLimit": given.clusterLimit },
      healthCheck: {
        passive: { enabled: true, reactivationPeriod: given.reactivation === null ? undefined : duration(given.reactivation) },
      },
    }),
  );
  const policy = transportFailureRate({
    clock,
    window: duration(given.window),
    minimalTotalCount: given.minimum,
    defaultRateLimit: given.limit,
  });
  const health: (HealthStatus | undefined)[] = [];
  for (const event of given.events) {
    const destination = cluster?.destinations.all.find((each) => each.id === event.destination);
    if (cluster === undefined || destination === undefined) throw new Error("nothing was loaded");
    clock.set(event.at);
    const error = event.failed ? "Request" : undefined;
    policy.requestEnded(cluster, destination, { error, clientGone: false, status: undefined, duration: 1 }, updater);
    health.push(destination.passiveHealth);
  }
  expect(health).toEqual(expected.health);
  expect(updater.reactivation).toBe(duration(expected.reactivation));
}

async function checkUpdater(given: Shapeless, expected: Shapeless): Promise<void> {
  const clock = new FakeClock();
  const updater = new HealthUpdater({ clock });
  const checks = { active: { enabled: true }, passive: { enabled: true }, availableDestinationsPolicy: "HealthyAndUnknown" };
  const [cluster] = load(statesOf(), configOf("c", ["d"], { healthCheck: checks }));
  const destination = cluster?.destinations.all[0];
  if (cluster === undefined || destination === undefined) throw new Error("nothing was loaded");
  destination.activeHealth = given.active;
  destination.passiveHealth = given.passive;
  updater.setPassive(cluster, destination, given.new, duration(given.reactivation), "as the table says");
  if (expected.timer === null) expect(clock.pending).toEqual([]);
  if (given.timerFires) {
    expect(cluster.destinations.available).toEqual([]);
    expect(clock.pending).toEqual([duration(given.reactivation)]);
    await clock.advance(duration(given.reactivation));
  }
  expect(destination.passiveHealth).toBe(expected.passive);
  if (expected.active !== undefined) expect(destination.activeHealth).toBe(expected.active);
  if (expected.available !== undefined) expect(cluster.destinations.available.includes(destination)).toBe(expected.available);
  if (expected.timerDisposed) expect(clock.pending).toEqual([]);
}

function duration(text: string): number {
  const parsed = parseDuration(text);
  if (typeof parsed !== "number") throw new Error(`no duration: ${text}`);
  return parsed;
}
