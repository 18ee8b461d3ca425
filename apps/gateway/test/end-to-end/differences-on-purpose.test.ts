/** What the gateway does on purpose where YARP does otherwise, as far as routes, clusters and configuration go. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { inspectConfiguration } from "../../src/configuration/inspect-configuration.ts";
import { configFolder } from "../support/config-file.ts";
import type { ConfigFolder } from "../support/config-file.ts";
import { bodyOf, getRaw, statusOf } from "../support/raw-client.ts";
import { plainAnswer, startRawOrigin } from "../support/raw-origin.ts";
import type { RawOrigin } from "../support/raw-origin.ts";
import { startGateway } from "../support/running-gateway.ts";

let folder: ConfigFolder;
let origin: RawOrigin;
/** What the origin answers; undefined: nothing. */
let answer: ((request: string) => string) | undefined;
beforeEach(async () => {
  folder = await configFolder();
  answer = (request) => plainAnswer(request);
  origin = await startRawOrigin("origin", (request) => answer?.(request) ?? new Promise<never>(() => {}));
});
afterEach(async () => {
  await origin.close();
  await folder[Symbol.asyncDispose]();
});

interface Parts {
  readonly route?: Record<string, unknown>;
  readonly cluster?: Record<string, unknown>;
  readonly rest?: Record<string, unknown>;
}

function write({ route = {}, cluster = {}, rest = {} }: Parts, address = origin.url): Promise<string> {
  const Routes = { all: { ClusterId: "c", Match: { Path: "{**rest}" }, ...route } };
  return folder.write("gateway.json", { ...rest, ReverseProxy: { Routes, Clusters: { c: { Destinations: { d: { Address: address } }, ...cluster } } } });
}

async function issuesOf(parts: Parts, strict = false) {
  const { issues } = await inspectConfiguration([await write(parts)], { strict, env: {} });
  return issues;
}

test("a route timeout before the answer is 504, and passive health counts it", async () => {
  answer = undefined;
  const file = await write({ route: { Timeout: "50ms" }, cluster: { HealthCheck: { Passive: { Enabled: true } } } });
  await using gateway = await startGateway([file]);
  const answers = await Promise.all(Array.from({ length: 10 }, () => getRaw(gateway.port, "/")));
  expect(answers.map(statusOf)).toEqual(Array.from({ length: 10 }, () => 504));
  const change = await gateway.logged(({ event }) => event === "destination-health-changed");
  expect(change).toMatchObject({ kind: "passive", to: "Unhealthy", reason: "10 of 10 requests failed in the last 60 s" });
  expect(gateway.state.cluster("c")!.destinations.all[0]!.passiveHealth).toBe("Unhealthy");
});

test("a session is not pinned to a destination that did not answer", async () => {
  const SessionAffinity = { Enabled: true, AffinityKeyName: "session" };
  answer = () => "nonsense\r\n\r\n";
  await using gateway = await startGateway([await write({ cluster: { SessionAffinity } })]);
  const failed = await getRaw(gateway.port, "/");
  expect(statusOf(failed)).toBe(502);
  expect(failed).not.toMatch(/set-cookie/i);
  answer = () => plainAnswer("well");
  expect(await getRaw(gateway.port, "/")).toMatch(/\r\nset-cookie: session=/i);
});

test("what no request could use is found at load, all of it at once", async () => {
  const issues = await issuesOf({
    route: { Match: { Hosts: ["a b"], Path: "/{x:nope}", Headers: [{ Name: "h", Values: [""] }] } },
    cluster: { Destinations: { d: { Address: "ftp://x/" } } },
  });
  const codes = issues.filter(({ severity }) => severity === "error").map(({ code }) => code);
  expect(codes.sort()).toEqual(["constraint-unknown", "destination-address-invalid", "header-value-empty", "host-invalid"]);
});

test("routes that can tie are told at load, and the one declared first wins", async () => {
  const Routes = {
    second: { Match: { Path: "/same/{a}" }, Respond: { Body: "second" } },
    first: { Match: { Path: "/same/{b}" }, Respond: { Body: "first" } },
  };
  const file = await folder.write("gateway.json", { ReverseProxy: { Routes } });
  await using gateway = await startGateway([file]);
  expect(await gateway.logged(({ code }) => code === "route-tie")).toMatchObject({ level: "warn" });
  expect(bodyOf(await getRaw(gateway.port, "/same/x"))).toBe("second");
});

test("keys that nobody knows are warnings with a suggestion and a place, errors under strict; a single text stands for a list", async () => {
  const parts = { cluster: { LoadBalancingPolicie: "Random", HttpClient: { SslProtocols: "Tls12" } } };
  const [warning, ...others] = await issuesOf(parts);
  expect(warning).toMatchObject({ code: "unknown-key", severity: "warning", line: expect.any(Number) as number, hint: expect.stringContaining("LoadBalancingPolicy") as string });
  expect(others).toEqual([]);
  expect((await issuesOf(parts, true))[0]).toMatchObject({ code: "unknown-key", severity: "error" });
});

test("a change of a letter's case takes effect; durations may have units", async () => {
  const file = await write({ cluster: { HttpRequest: { ActivityTimeout: "500ms" } } }, `${origin.url}Base`);
  await using gateway = await startGateway([file]);
  expect(bodyOf(await getRaw(gateway.port, "/"))).toMatch(/^GET \/Base\//);
  expect(gateway.state.cluster("c")!.model.config.httpRequest?.activityTimeout).toBe(500);
  await write({ cluster: { HttpRequest: { ActivityTimeout: "500ms" } } }, `${origin.url}base`);
  await gateway.logged(({ message }) => message === "the changed configuration is in use");
  expect(bodyOf(await getRaw(gateway.port, "/"))).toMatch(/^GET \/base\//);
});

test("what a client claims about those before it is believed from trusted proxies alone", async () => {
  const forged = "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Prefix: /evil\r\nForwarded: for=203.0.113.9\r\n";
  const route = { Transforms: [{ "X-Forwarded": "Append" }] };
  await using gateway = await startGateway([await write({ route })]);
  const seen = bodyOf(await getRaw(gateway.port, "/", "shop.test", forged));
  expect(seen).not.toContain("203.0.113.9");
  expect(seen).not.toContain("/evil");
  expect(seen).toMatch(/\r\nx-forwarded-for: 127\.0\.0\.1\r\n/i);
  await using behind = await startGateway([await write({ route, rest: { Server: { TrustedProxies: ["127.0.0.0/8"] } } })]);
  expect(bodyOf(await getRaw(behind.port, "/", "shop.test", forged))).toMatch(/\r\nx-forwarded-for: 203\.0\.113\.9\r\n[^]*\r\nx-forwarded-for: 127\.0\.0\.1\r\n/i);
});
