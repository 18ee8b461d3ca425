import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { configFolder } from "../support/config-file.ts";
import type { ConfigFolder } from "../support/config-file.ts";
import { plainAnswer, startRawOrigin } from "../support/raw-origin.ts";
import type { RawOrigin } from "../support/raw-origin.ts";
import { startGateway } from "../support/running-gateway.ts";

let folder: ConfigFolder;
let origin: RawOrigin;
/** Status of the next probes; undefined: no answer. */
let status: number | undefined;
let probed: PromiseWithResolvers<void>;
beforeEach(async () => {
  folder = await configFolder();
  status = 200;
  probed = Promise.withResolvers();
  origin = await startRawOrigin("origin", () => {
    probed.resolve();
    probed = Promise.withResolvers();
    return status === undefined ? new Promise<never>(() => {}) : plainAnswer("").replace("200 OK", `${status} Status`);
  });
});
afterEach(async () => {
  await origin.close();
  await folder[Symbol.asyncDispose]();
});

function config(destinations: readonly string[]): unknown {
  const Active = { Enabled: true, Interval: "30s", Timeout: "10s", Path: "/health" };
  return {
    ReverseProxy: {
      Routes: { all: { ClusterId: "c", Match: { Path: "{**rest}" } } },
      Clusters: { c: { HealthCheck: { Active }, Destinations: Object.fromEntries(destinations.map((id) => [id, { Address: origin.url }])) } },
    },
  };
}

type Entry = Readonly<Record<string, unknown>>;
const isChange = (to: string) => (entry: Entry) => entry["event"] === "destination-health-changed" && entry["to"] === to;

describe("active health checks of the gateway", () => {
  test("begin at once and go on by the interval and its jitter; changes are logged with their reason", async () => {
    const file = await folder.write("gateway.json", config(["d"]));
    await using gateway = await startGateway([file], { testClock: true, logLevel: "Debug" });
    expect(await gateway.logged(isChange("Healthy"))).toMatchObject({ level: "debug", cluster: "c", destination: "d", kind: "active", from: "Unknown" });
    expect(origin.requests).toHaveLength(1);
    expect(origin.requests[0]).toMatch(/^GET \/health HTTP\/1\.1\r\n/);
    await gateway.advance(26_900);
    expect(origin.requests).toHaveLength(1);
    status = 503;
    for (const [round, time] of [[1, 6_200], [2, 33_000]] as const) {
      const arrived = probed.promise;
      await gateway.advance(time);
      await arrived;
      await gateway.logged((entry) => entry["event"] === "destination-probed" && entry["status"] === 503 && count(gateway.log, 503) === round);
    }
    const change = await gateway.logged(isChange("Unhealthy"));
    expect(change).toMatchObject({ level: "warn", cluster: "c", destination: "d" });
    expect(change["reason"]).toContain("503");
    const { healthLog, activeHealth } = gateway.state.cluster("c")!.destinations.all[0]!;
    expect(activeHealth).toBe("Unhealthy");
    expect(healthLog.probes.map((probe) => probe.status)).toEqual([200, 503, 503]);
    expect(healthLog.transitions.map(({ from, to }) => `${from} ${to}`)).toEqual(["Unknown Healthy", "Healthy Unhealthy"]);
  });

  test("never overlap themselves: a probe without an answer ends by its timeout, and the interval counts from there", async () => {
    status = undefined;
    const file = await folder.write("gateway.json", config(["d"]));
    const arrived = probed.promise;
    await using gateway = await startGateway([file], { testClock: true, logLevel: "Debug" });
    await arrived;
    await gateway.advance(9_000);
    expect(origin.requests).toHaveLength(1);
    await gateway.advance(1_000);
    const entry = await gateway.logged((each) => each["event"] === "destination-probed");
    expect(entry).toMatchObject({ error: "no answer within 10000 ms" });
    await gateway.advance(26_000);
    expect(origin.requests).toHaveLength(1);
    const again = probed.promise;
    await gateway.advance(7_000);
    await again;
    expect(origin.requests).toHaveLength(2);
  });

  test("follow the machine's time outside of tests", async () => {
    const file = await folder.write("gateway.json", config(["d"]));
    const env = { ReverseProxy__Clusters__c__HealthCheck__Active__Interval: "20ms" };
    await using gateway = await startGateway([file], { env });
    for (let probe = 0; probe < 3; probe++) await probed.promise;
    expect(gateway.state.cluster("c")!.destinations.all[0]!.activeHealth).toBe("Healthy");
  });

  test("reach a destination that a reload adds at once, and it alone", async () => {
    const file = await folder.write("gateway.json", config(["d"]));
    await using gateway = await startGateway([file], { testClock: true, logLevel: "Debug" });
    await gateway.logged(isChange("Healthy"));
    await folder.write("gateway.json", config(["d", "e"]));
    const entry = await gateway.logged((each) => isChange("Healthy")(each) && each["destination"] === "e");
    expect(entry).toMatchObject({ from: "Unknown" });
    expect(origin.requests).toHaveLength(2);
  });
});

function count(log: readonly Entry[], answered: number): number {
  return log.filter((entry) => entry["event"] === "destination-probed" && entry["status"] === answered).length;
}
