import { describe, expect, it } from "vitest";
import {
  ClusterStates,
  createAvailableDestinationsPolicies,
  HealthUpdater,
  OutlierDetector,
  roundRobin,
  type ClusterState,
  type DestinationState,
  type RequestOutcome,
} from "@proxy/cluster";
import type { ClusterConfig, OutlierDetectionConfig } from "@proxy/config";
import { idsOf } from "./support/clusters.ts";
import { FakeClock } from "./support/fake-clock.ts";

const answer = (status: number, latency?: number): RequestOutcome => ({ error: undefined, clientGone: false, status, duration: 5, latency });
const failure = (error = "Request", source: RequestOutcome["source"] = "destination"): RequestOutcome => ({
  error,
  clientGone: false,
  status: undefined,
  duration: 5,
  source,
});

interface Watching {
  readonly clock: FakeClock;
  readonly cluster: ClusterState;
  readonly detector: OutlierDetector;
  readonly updater: HealthUpdater;
  /** `ejected a`, `returned a`, `refused a`, with the time. */
  readonly events: string[];
  /** The reasons given, in the same order. */
  readonly reasons: string[];
  end(id: string, outcome: RequestOutcome, times?: number): void;
  available(): string[];
  load(settings: OutlierDetectionConfig, ids?: readonly string[]): void;
  of(id: string): DestinationState;
}

function watching(settings: OutlierDetectionConfig, ids: readonly string[] = ["a", "b", "c"], rest: Partial<ClusterConfig> = {}): Watching {
  const clock = new FakeClock();
  const events: string[] = [];
  const reasons: string[] = [];
  const note = (what: string, { id }: DestinationState, reason: string): void => {
    events.push(`${clock.now() / 1000}: ${what} ${id}`);
    reasons.push(reason);
  };
  const updater = new HealthUpdater({
    clock,
    listeners: [
      (_cluster, destination, { kind, to, reason }) => kind === "outlier" && note(to === "Unhealthy" ? "ejected" : "returned", destination, reason),
    ],
  });
  const detector = new OutlierDetector({ updater, clock, onRefused: (_cluster, destination, reason) => note("refused", destination, reason) });
  const availability = createAvailableDestinationsPolicies();
  const states = new ClusterStates(
    {
      cluster: (config) => ({
        config,
        loadBalancing: roundRobin,
        availability: availability.get(config.healthCheck?.availableDestinationsPolicy ?? "HealthyOrPanic"),
      }),
    },
    [updater, detector],
    clock,
  );
  const load = (outlierDetection: OutlierDetectionConfig, of = ids): void => {
    const destinations = Object.fromEntries(of.map((id) => [id, { address: `http://${id}/` }]));
    states.prepare([{ clusterId: "c", destinations, outlierDetection, ...rest }]).commit();
  };
  load(settings);
  const cluster = states.get("c");
  if (cluster === undefined) throw new Error("nothing was loaded");
  const of = (id: string): DestinationState => {
    const found = cluster.destinations.all.find((each) => each.id === id);
    if (found === undefined) throw new Error(`no destination ${id}`);
    return found;
  };
  return {
    clock,
    cluster,
    detector,
    updater,
    events,
    reasons,
    load,
    of,
    end: (id, outcome, times = 1) => {
      for (let i = 0; i < times; i++) detector.requestEnded(cluster, of(id), outcome);
    },
    available: () => idsOf(cluster.destinations.available),
  };
}

describe("failures in a row", () => {
  it("eject at the fifth, and the destination comes back after the time", async () => {
    const { clock, end, events, reasons, available, of } = watching({ enabled: true });
    end("a", answer(500), 4);
    end("a", answer(200));
    end("a", answer(500), 4);
    expect(available()).toEqual(["a", "b", "c"]);
    end("a", failure());
    expect(available()).toEqual(["b", "c"]);
    expect(reasons).toEqual(["5 requests in a row failed: 5xx or no answer; ejected for 30 s"]);
    await clock.advance(29_999);
    expect(available()).toEqual(["b", "c"]);
    await clock.advance(1);
    expect(available()).toEqual(["a", "b", "c"]);
    expect(events).toEqual(["0: ejected a", "30: returned a"]);
    expect(of("a").healthLog.transitions.map(({ kind, from, to }) => [kind, from, to])).toEqual([
      ["outlier", "Healthy", "Unhealthy"],
      ["outlier", "Unhealthy", "Healthy"],
    ]);
  });

  it("of the gateway's kind have a count of their own, which another 5xx ends", () => {
    const { end, available } = watching({ enabled: true, consecutive5xx: 0, consecutiveGatewayFailure: 3 });
    end("a", answer(500), 10);
    for (const one of [answer(502), answer(503), answer(500), answer(504), failure("RequestTimedOut")]) end("a", one);
    expect(available()).toEqual(["a", "b", "c"]);
    end("a", failure("ResponseHeaders"));
    expect(available()).toEqual(["b", "c"]);
  });

  it("are not what a client or the gateway brought about", () => {
    const { end, available } = watching({ enabled: true });
    end("a", failure("RequestBodyClient", "client"), 9);
    end("a", failure("Request", "gateway"), 9);
    end("a", { ...answer(500), clientGone: true }, 9);
    end("a", { ...failure("RequestCreation"), source: undefined }, 9);
    end("a", failure("UpgradeActivityTimeout"), 9);
    expect(available()).toEqual(["a", "b", "c"]);
  });

  it("count anew after the return: what ends during the ejection tells nothing", async () => {
    const { clock, end, available } = watching({ enabled: true });
    end("a", answer(500), 5);
    end("a", answer(500), 50);
    await clock.advance(30_000);
    end("a", answer(500), 4);
    expect(available()).toContain("a");
    end("a", answer(500));
    expect(available()).not.toContain("a");
  });
});

describe("the time of an ejection", () => {
  it("grows with each in short order up to the most, and shrinks with the time in service", async () => {
    const { clock, end, events } = watching({ enabled: true, consecutive5xx: 1, interval: 10_000, baseEjectionTime: 30_000, maxEjectionTime: 75_000 });
    const rounds = [0, 0, 0, 10_000, 1_000_000];
    for (const wait of rounds) {
      await clock.advance(wait);
      end("a", answer(500));
      while (clock.pending.length > 0) await clock.advance(clock.pending[0] ?? 0);
    }
    const times = events.map((each) => Number(each.split(":")[0]));
    // 30, 60, then 75 instead of 90; ten seconds in service take one off: 3 * 30, again at most 75; long after: 30.
    expect([0, 2, 4, 6, 8].map((i) => (times[i + 1] ?? 0) - (times[i] ?? 0))).toEqual([30, 60, 75, 75, 30]);
  });
});

describe("the ceiling", () => {
  it("leaves one of several to be ejected, and the others where they are", async () => {
    const { clock, end, events, available } = watching({ enabled: true });
    end("a", answer(500), 5);
    end("b", answer(500), 5);
    expect(available()).toEqual(["b", "c"]);
    await clock.advance(30_000);
    end("b", answer(500), 5);
    expect(available()).toEqual(["a", "c"]);
    expect(events).toEqual(["0: ejected a", "0: refused b", "30: returned a", "30: ejected b"]);
  });

  it("is a share, rounded down", () => {
    const ids = Array.from({ length: 10 }, (_, i) => `d${i}`);
    const { end, available } = watching({ enabled: true, maxEjectionPercent: 35 }, ids);
    for (const id of ids) end(id, answer(500), 5);
    expect(available()).toHaveLength(7);
  });

  it("keeps an only destination, unless it is 100; 0 ejects nobody", () => {
    for (const [maxEjectionPercent, ids, left] of [
      [99, ["a"], 1],
      [0, ["a", "b"], 2],
    ] as const) {
      const { end, available } = watching({ enabled: true, maxEjectionPercent }, ids);
      end("a", answer(500), 20);
      expect(available()).toHaveLength(left);
    }
    const { end, cluster, available } = watching({ enabled: true, maxEjectionPercent: 100 }, ["a"], {
      healthCheck: { availableDestinationsPolicy: "HealthyAndUnknown" },
    });
    end("a", answer(500), 5);
    expect(cluster.destinations.all[0]?.ejected).toBe(true);
    expect(available()).toEqual([]);
  });
});

describe("success rates", () => {
  const ids = ["a", "b", "c", "d", "e"];

  it("eject who lies too far below the mean, when the interval is over", () => {
    const { clock, end, reasons, available } = watching({ enabled: true, consecutive5xx: 0 }, ids);
    for (const id of ids) end(id, answer(200), 80);
    for (const id of ["a", "b", "c", "d"]) end(id, answer(200), 20);
    for (let i = 0; i < 20; i++) end("e", answer(i % 2 === 0 ? 500 : 200));
    clock.set(9_999);
    end("a", answer(200));
    expect(available()).toEqual(ids);
    clock.set(10_000);
    end("a", answer(200));
    expect(available()).toEqual(["a", "b", "c", "d"]);
    expect(reasons).toEqual(["90.0 % of its requests succeeded, of all 98.0 %; ejected for 30 s"]);
  });

  it("need enough destinations with enough requests, and begin anew with each interval", () => {
    const { clock, end, available } = watching({ enabled: true, consecutive5xx: 0 }, ids);
    for (let interval = 1; interval <= 3; interval++) {
      for (const id of ids) for (let i = 0; i < 98; i++) end(id, answer(id === "e" && i % 2 === 0 ? 500 : 200));
      clock.set(interval * 10_000);
      end("a", answer(200));
      expect(available()).toEqual(ids);
    }
    const four = watching({ enabled: true, consecutive5xx: 0 }, ids.slice(0, 4));
    for (const id of ids.slice(0, 4)) for (let i = 0; i < 200; i++) four.end(id, answer(id === "a" && i % 2 === 0 ? 500 : 200));
    four.clock.set(10_000);
    four.end("b", answer(200));
    expect(four.available()).toHaveLength(4);
  });

  it("are left out of account with a factor of 0", () => {
    const { clock, end, available } = watching({ enabled: true, consecutive5xx: 0, successRateStdevFactor: 0 }, ids);
    for (const id of ids) end(id, answer(id === "e" ? 500 : 200), 200);
    clock.set(10_000);
    end("a", answer(200));
    expect(available()).toEqual(ids);
  });
});

describe("latencies", () => {
  const settings: OutlierDetectionConfig = { enabled: true, latencyPercent: 300, maxEjectionPercent: 50 };

  it("eject who is several times as slow as its peers", () => {
    const { clock, end, reasons, available } = watching(settings);
    for (const [id, latency] of [["a", 90], ["b", 110], ["c", 301]] as const) end(id, answer(200, latency), 20);
    clock.set(10_000);
    end("a", answer(200));
    expect(available()).toEqual(["a", "b"]);
    expect(reasons).toEqual(["it answered after 301 ms, its peers after 100 ms; ejected for 30 s"]);
  });

  it("are not compared by default, below the floor, or with too few", () => {
    for (const [own, latencies, count] of [
      [{}, [10, 10, 5_000], 20],
      [{ latencyPercent: 300 }, [1, 1, 99], 20],
      [{ latencyPercent: 300 }, [10, 10, 5_000], 19],
      [{ latencyPercent: 300, latencyMinimumHosts: 4 }, [10, 10, 5_000], 20],
    ] as const) {
      const { clock, end, available } = watching({ enabled: true, ...own });
      ["a", "b", "c"].forEach((id, index) => end(id, answer(200, latencies[index]), count));
      clock.set(10_000);
      end("a", answer(200));
      expect(available()).toEqual(["a", "b", "c"]);
    }
  });
});

describe("ejection beside the checks of health", () => {
  const checks = { active: { enabled: true }, passive: { enabled: true } };

  it("is one of three reasons to be left out: each has to pass by itself", async () => {
    const { clock, cluster, updater, end, available, of } = watching({ enabled: true }, undefined, { healthCheck: checks });
    end("a", answer(500), 5);
    updater.setActive(cluster, [{ destination: of("a"), health: "Healthy", reason: "a probe was answered with 200" }]);
    expect(available()).toEqual(["b", "c"]);
    updater.setActive(cluster, [{ destination: of("a"), health: "Unhealthy", reason: "" }]);
    await clock.advance(30_000);
    expect(of("a").ejected).toBe(false);
    expect(available()).toEqual(["b", "c"]);
    updater.setActive(cluster, [{ destination: of("a"), health: "Healthy", reason: "" }]);
    expect(available()).toEqual(["a", "b", "c"]);
  });

  it("panics like them: when nobody is left all are available, ejected or not", () => {
    const { cluster, updater, end, available, of } = watching({ enabled: true }, ["a", "b"], { healthCheck: checks });
    end("a", answer(500), 5);
    expect(available()).toEqual(["b"]);
    updater.setActive(cluster, [{ destination: of("b"), health: "Unhealthy", reason: "" }]);
    expect(available()).toEqual(["a", "b"]);
  });
});

describe("a reload", () => {
  it("keeps ejections of those that stay, and forgets those that go with their timers", () => {
    const { clock, end, load, available, cluster } = watching({ enabled: true, maxEjectionPercent: 100 });
    end("a", answer(500), 5);
    end("b", answer(500), 5);
    load({ enabled: true, maxEjectionPercent: 100, consecutive5xx: 9 }, ["a", "c", "d"]);
    expect(available()).toEqual(["c", "d"]);
    expect(clock.pending).toEqual([30_000]);
    expect(cluster.destinations.all.map((each) => each.ejected)).toEqual([true, false, false]);
  });

  it("that turns detection off brings all back at once", () => {
    const { clock, end, load, available, events } = watching({ enabled: true });
    end("a", answer(500), 5);
    load({ enabled: false });
    expect(available()).toEqual(["a", "b", "c"]);
    expect(events).toEqual(["0: ejected a", "0: returned a"]);
    expect(clock.pending).toEqual([]);
    end("a", answer(500), 50);
    expect(available()).toEqual(["a", "b", "c"]);
  });

  it("that removes the cluster, like the end of the proxy, leaves no timer", () => {
    const one = watching({ enabled: true });
    one.end("a", answer(500), 5);
    one.detector.removed(one.cluster);
    expect(one.clock.pending).toEqual([]);
    const other = watching({ enabled: true });
    other.end("a", answer(500), 5);
    other.detector.close();
    expect(other.clock.pending).toEqual([]);
  });
});
