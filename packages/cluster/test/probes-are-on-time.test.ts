import { describe, expect, it } from "vitest";
import { HealthUpdater, type HealthTransition } from "@proxy/cluster";
import { FakeClock, settled } from "./support/fake-clock.ts";
import { monitoring } from "./support/monitoring.ts";
import { configOf, load, statesOf } from "./support/states.ts";

const healthCheck = { active: { enabled: true, interval: 10_000, timeout: 3_000 } };

describe("active health", () => {
  it("probes new clusters and new destinations at once, and no others for that (D5)", async () => {
    const { monitor, states, probes, clock } = monitoring();
    monitor.start();
    load(states, configOf("c", ["a"], { healthCheck }));
    await clock.advance(0);
    expect(probes.map((each) => each.destination)).toEqual(["a"]);
    await clock.advance(4_000);
    load(states, configOf("c", ["a", "b"], { healthCheck }), configOf("new", ["n"], { healthCheck }));
    await clock.advance(0);
    expect(probes.slice(1).map((each) => each.destination).sort()).toEqual(["b", "n"]);
    await clock.advance(6_000);
    expect(probes.slice(3).map((each) => each.destination)).toEqual(["a", "b"]);
    monitor.stop();
  });

  it("probes a destination that moved at once", async () => {
    const { monitor, states, probes, clock } = monitoring();
    monitor.start();
    load(states, configOf("c", ["a", "b"], { healthCheck }));
    await clock.advance(1_000);
    load(states, { clusterId: "c", healthCheck, destinations: { a: { address: "http://a.test/" }, b: { address: "http://moved.test/" } } });
    await clock.advance(0);
    expect(probes.slice(2).map((each) => each.request.url)).toEqual(["http://moved.test/"]);
    monitor.stop();
  });

  it("probes once what is new when a round is due as well, and does not forget what comes during a round", async () => {
    const made = monitoring();
    const { monitor, states, probes, clock } = made;
    load(states, configOf("c", ["a"], { healthCheck }));
    await monitor.runDue();
    load(states, configOf("c", ["a", "b"], { healthCheck }));
    clock.set(10_000);
    await monitor.runDue();
    expect(probes.slice(1).map((each) => each.destination)).toEqual(["a", "b"]);
    made.script = undefined;
    clock.set(20_000);
    const round = monitor.runDue();
    load(states, configOf("c", ["a", "b", "new"], { healthCheck }));
    const [cluster] = states.all;
    if (cluster !== undefined) void monitor.probeRound(cluster);
    void monitor.runDue();
    await settled();
    expect(probes.slice(3).map((each) => each.destination)).toEqual(["a", "b", "new"]);
    for (const each of probes) each.answer(200);
    await round;
    await settled();
    expect(cluster?.destinations.all.map((each) => each.activeHealth)).toEqual(["Healthy", "Healthy", "Healthy"]);
  });

  it("comes earlier or later by the jitter", async () => {
    const { monitor, states, probes, clock } = monitoring({ jitter: 0.2, random: () => 0 });
    monitor.start();
    load(states, configOf("c", ["a"], { healthCheck }));
    await clock.advance(0);
    await clock.advance(7_999);
    expect(probes).toHaveLength(1);
    await clock.advance(1);
    expect(probes).toHaveLength(2);
    monitor.stop();
  });

  it("measures the interval from the end of a round, and never overlaps itself", async () => {
    const made = monitoring();
    made.script = undefined;
    const { monitor, states, probes, clock } = made;
    monitor.start();
    load(states, configOf("c", ["a"], { healthCheck }));
    await clock.advance(0);
    const [cluster] = states.all;
    if (cluster === undefined) throw new Error("nothing was loaded");
    expect(monitor.probeRound(cluster)).toBe(monitor.probeRound(cluster));
    expect(probes).toHaveLength(1);
    await clock.advance(2_000);
    probes[0]?.answer(200);
    await settled();
    await clock.advance(9_999);
    expect(probes).toHaveLength(1);
    await clock.advance(1);
    expect(probes).toHaveLength(2);
    monitor.stop();
  });

  it("sends no second probe while one does not heed its timeout, and counts that as failure", async () => {
    const made = monitoring();
    made.script = undefined;
    const { monitor, states, probes, clock } = made;
    monitor.start();
    const [cluster] = load(states, configOf("c", ["a"], { healthCheck }));
    await clock.advance(13_000);
    await clock.advance(3_000);
    expect(probes).toHaveLength(1);
    const [a] = cluster?.destinations.all ?? [];
    expect(a?.activeHealth).toBe("Unhealthy");
    expect(a?.healthLog.transitions[0]?.reason).toContain("has not ended");
    monitor.stop();
  });

  it("lets results go that come for a cluster whose checks were switched off, or a destination that left", async () => {
    const made = monitoring();
    made.script = undefined;
    const { monitor, states, probes, clock, judged } = made;
    monitor.start();
    load(states, configOf("c", ["a", "b"], { healthCheck: { active: { enabled: true, policy: "Noted" } } }));
    await clock.advance(0);
    load(states, configOf("c", ["a"], { healthCheck: { active: { enabled: true, policy: "Noted" } } }));
    for (const each of probes) each.answer(200);
    await settled();
    expect(judged).toEqual([{ policy: "Noted", cluster: "c", results: [200] }]);
    monitor.stop();
  });

  it("leaves no timer and aborts its probes when it is stopped", async () => {
    const made = monitoring();
    made.script = undefined;
    const { monitor, states, probes, clock } = made;
    monitor.start();
    const [cluster] = load(states, configOf("c", ["a"], { healthCheck }));
    await clock.advance(0);
    monitor.stop();
    await settled();
    expect(probes[0]?.signal.aborted).toBe(true);
    expect(clock.pending).toEqual([]);
    expect(cluster?.destinations.all[0]?.healthLog.probes).toEqual([]);
  });

  it("can be driven from outside: next due, then run", async () => {
    const { monitor, states, probes, clock } = monitoring();
    let changes = 0;
    monitor.onChange(() => changes++);
    load(states, configOf("c", ["a"], { healthCheck }));
    expect(changes).toBeGreaterThan(0);
    expect(monitor.nextDue).toBe(0);
    await monitor.runDue();
    expect(monitor.nextDue).toBe(10_000);
    clock.set(10_000);
    await monitor.runDue();
    expect(probes).toHaveLength(2);
    expect(clock.pending).toEqual([]);
  });
});

describe("health", () => {
  const both = { active: { enabled: true }, passive: { enabled: true }, availableDestinationsPolicy: "HealthyAndUnknown" };

  it("is told with its reason, and kept in a short history", () => {
    const clock = new FakeClock();
    const told: HealthTransition[] = [];
    const updater = new HealthUpdater({
      clock,
      listeners: [
        () => {
          throw new Error("mine");
        },
        (_cluster, _destination, transition) => void told.push(transition),
      ],
    });
    const [cluster] = load(statesOf(), configOf("c", ["a"], { healthCheck: both }));
    const [a] = cluster?.destinations.all ?? [];
    if (cluster === undefined || a === undefined) throw new Error("nothing was loaded");
    for (let i = 0; i < 20; i++) {
      const health = i % 2 === 0 ? "Unhealthy" : "Healthy";
      updater.setActive(cluster, [{ destination: a, health, reason: `change ${i}` }]);
    }
    expect(told).toHaveLength(20);
    expect(told[0]).toEqual({ at: clock.date(), kind: "active", from: "Unknown", to: "Unhealthy", reason: "change 0" });
    expect(a.healthLog.transitions).toEqual(told.slice(-16));
  });

  it("that turns bad again is reactivated a whole period later, not by the timer before", async () => {
    const clock = new FakeClock();
    const updater = new HealthUpdater({ clock });
    const [cluster] = load(statesOf(), configOf("c", ["a"], { healthCheck: both }));
    const [a] = cluster?.destinations.all ?? [];
    if (cluster === undefined || a === undefined) throw new Error("nothing was loaded");
    updater.setPassive(cluster, a, "Unhealthy", 60_000, "bad");
    await clock.advance(30_000);
    updater.setPassive(cluster, a, "Healthy", 60_000, "good");
    updater.setPassive(cluster, a, "Unhealthy", 60_000, "bad again");
    await clock.advance(59_999);
    expect(a.passiveHealth).toBe("Unhealthy");
    await clock.advance(1);
    expect(a.passiveHealth).toBe("Unknown");
    expect(clock.pending).toEqual([]);
  });

  it("holds no timer for destinations and clusters that are gone", () => {
    const clock = new FakeClock();
    const updater = new HealthUpdater({ clock });
    const states = statesOf([updater]);
    const [cluster] = load(states, configOf("c", ["a", "b"], { healthCheck: both }));
    for (const each of cluster?.destinations.all ?? []) if (cluster !== undefined) updater.setPassive(cluster, each, "Unhealthy", 60_000, "bad");
    expect(clock.pending).toHaveLength(2);
    load(states, configOf("c", ["a"], { healthCheck: both }));
    expect(clock.pending).toHaveLength(1);
    load(states);
    expect(clock.pending).toEqual([]);
  });
});
