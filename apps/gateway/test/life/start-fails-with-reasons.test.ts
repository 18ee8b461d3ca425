import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { formatStartFailure } from "../../src/logging/start-failure.ts";
import { startChild } from "../support/child-gateway.ts";
import { configFolder, oneRoute } from "../support/config-file.ts";
import type { ConfigFolder } from "../support/config-file.ts";
import { startGateway } from "../support/running-gateway.ts";
import type { RunningOptions } from "../support/running-gateway.ts";

let folder: ConfigFolder;
beforeEach(async () => {
  folder = await configFolder();
});
afterEach(() => folder[Symbol.asyncDispose]());

/** What keeps a gateway with this configuration from starting. */
async function failureOf(config: unknown, options: RunningOptions = {}): Promise<unknown> {
  const file = await folder.write("gateway.json", config);
  return startGateway([file], options).then(
    async (gateway) => {
      await gateway[Symbol.asyncDispose]();
      throw new Error("it started");
    },
    (error: unknown) => error,
  );
}

const json = (failure: unknown): Record<string, unknown>[] =>
  formatStartFailure(failure, "json", new Date(0))
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

const broken = {
  Urls: "ftp://*:443",
  Kestrel: { Endpoints: { Secure: { Url: "https://127.0.0.1:0" } } },
  ReverseProxy: {
    Routes: { r1: { ClusterId: "c", Match: {} }, r2: { ClusterId: "c", Match: { Path: "/{a}/{a}" } } },
    Clusters: { c: { LoadBalancingPolicy: "Nope", Destinations: { d: { Address: "http://127.0.0.1:9/" } } } },
  },
};

describe("a gateway that cannot start", () => {
  test("reports an invalid configuration whole, an entry for each issue with its place", async () => {
    const entries = json(await failureOf(broken, { urls: "" }));
    expect(entries.map(({ level, code }) => [level, code])).toEqual([
      ["error", "host-or-path-required"],
      ["error", "path-invalid"],
      ["error", "load-balancing-policy-unknown"],
      ["error", "listen-url-invalid"],
      ["error", "certificate-invalid"],
    ]);
    expect(entries[0]).toMatchObject({ source: `${folder.path}/gateway.json`, line: expect.any(Number) as number });
    expect(entries[4]!["message"]).toContain("endpoint 'Secure': an https address needs a Certificate");
  });

  test("reports each issue once, in a process of its own", async () => {
    const file = await folder.write("gateway.json", { ReverseProxy: broken.ReverseProxy });
    await using gateway = startChild(["-c", file, "--urls", "http://127.0.0.1:0"]);
    expect((await gateway.ended).code).toBe(1);
    expect(gateway.stdout()).toBe("");
    const codes = gateway.stderr().trimEnd().split("\n").map((line) => (JSON.parse(line) as { code?: string }).code);
    expect(codes).toEqual(["host-or-path-required", "path-invalid", "load-balancing-policy-unknown"]);
  });

  test("reports the same as text on a terminal", async () => {
    const text = formatStartFailure(await failureOf(broken), "text", new Date(0));
    expect(text).toMatch(/gateway\.json:\d+:\d+ error host-or-path-required: /);
    expect(text).toMatch(/\ngateway: not started\n$/);
  });

  test("names a trusted proxy that is none", async () => {
    const [entry] = json(await failureOf(oneRoute("http://127.0.0.1:9/", { Server: { TrustedProxies: ["10.0.0.0/8", "nobody"] } })));
    expect(entry).toMatchObject({ code: "trusted-proxy-invalid", line: expect.any(Number) as number });
    expect(entry!["message"]).toContain("nobody");
  });

  test("does not mind addresses of the file that the command line replaces", async () => {
    const file = await folder.write("gateway.json", oneRoute("http://127.0.0.1:9/", { Urls: "https://*:443" }));
    await using gateway = await startGateway([file]);
    expect(gateway.urls).toHaveLength(1);
  });

  test("names an access log that cannot be written", async () => {
    const AccessLog = { Path: `${folder.path}/no/such/folder/access.log` };
    const entries = json(await failureOf(oneRoute("http://127.0.0.1:9/", { Server: { AccessLog } })));
    expect(entries).toHaveLength(1);
    expect(entries[0]!["message"]).toMatch(/^not started: cannot write the access log .*\/access\.log: ENOENT/);
    expect(entries[0]).not.toHaveProperty("cause");
  });

  test("names an address that this machine does not have", async () => {
    const [entry] = json(await failureOf(oneRoute("http://127.0.0.1:9/"), { urls: "http://192.0.2.1:0" }));
    expect(entry!["message"]).toBe("not started: cannot listen on http://192.0.2.1:0: this machine has no such address");
  });
});
