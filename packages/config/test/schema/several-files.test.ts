import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ConfigError } from "../../src/index.ts";
import type { ConfigIssue, GatewayConfig } from "../../src/index.ts";
import { loadGatewayConfig } from "../../src/schema/index.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "config-"));
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

/** Writes the files, as JSON or as the text given, and gives their paths in order. */
async function write(files: Readonly<Record<string, unknown>>): Promise<string[]> {
  const paths: string[] = [];
  for (const [name, content] of Object.entries(files)) {
    paths.push(join(directory, name));
    await writeFile(join(directory, name), typeof content === "string" ? content : JSON.stringify(content));
  }
  return paths;
}

async function load(...contents: readonly unknown[]): Promise<GatewayConfig> {
  const paths = await write(Object.fromEntries(contents.map((content, index) => [`${index}.json`, content])));
  const { config, warnings } = await loadGatewayConfig(paths);
  expect(warnings).toEqual([]);
  return config;
}

async function issuesOf(paths: readonly string[]): Promise<readonly ConfigIssue[]> {
  const error: unknown = await loadGatewayConfig(paths).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(ConfigError);
  return (error as ConfigError).issues;
}

const proxy = (Routes: unknown, Clusters: unknown = {}): unknown => ({ ReverseProxy: { Routes, Clusters } });

describe("several files", () => {
  it("are laid over one another, key by key, ignoring case, and the environment over all", async () => {
    const paths = await write({
      "appsettings.json": {
        Urls: "http://a:1",
        Server: { ShutdownTimeout: "1s", Limits: { MaxRequestHeaderCount: 1, MaxRequestLineSize: 100 } },
        ReverseProxy: {
          Routes: { r: { ClusterId: "c", Order: 1, Match: { Path: "/r" } } },
          Clusters: { c: { LoadBalancingPolicy: "Random", Destinations: { d: { Address: "http://a", Health: "http://h" } } } },
        },
      },
      "appsettings.Production.json": {
        urls: ["http://b:2"],
        Kestrel: { Limits: { MAXREQUESTHEADERCOUNT: 2 } },
        reverseproxy: {
          ROUTES: { s: { ClusterId: "c", Match: { Path: "/s" } } },
          clusters: { C: { destinations: { D: { address: "http://b" }, e: { Address: "http://e" } } } },
        },
      },
    });
    const { config, warnings } = await loadGatewayConfig(paths, {
      env: { ReverseProxy__Clusters__C__Destinations__e__Address: "http://y", ReverseProxy__Routes__r__Order: "3" },
    });
    expect(warnings).toEqual([]);
    expect(config.urls).toEqual(["http://b:2"]);
    expect(config.server).toMatchObject({ shutdownTimeout: 1000, limits: { maxRequestHeaderCount: 2, maxRequestLineSize: 100 } });
    expect(config.reverseProxy.routes).toMatchObject([{ routeId: "r", order: 3 }, { routeId: "s" }]);
    expect(config.reverseProxy.clusters).toEqual([
      {
        clusterId: "c",
        loadBalancingPolicy: "Random",
        destinations: { d: { address: "http://b", health: "http://h" }, e: { address: "http://y" } },
      },
    ]);
  });

  it("have lists laid over one another item by item, as in .NET", async () => {
    const match = { Path: "/r" };
    const config = await load(
      proxy({ r: { Match: { ...match, Methods: ["GET", "PUT"] }, Transforms: [{ PathPrefix: "/a" }, { RequestHeader: "A", Set: "1" }] } }),
      proxy({ r: { Match: { Methods: ["POST"] }, Transforms: { "1": { Set: "2" }, "2": { PathPrefix: "/b" } } } }),
    );
    expect(config.reverseProxy.routes[0]).toMatchObject({
      match: { methods: ["POST", "PUT"] },
      transforms: [{ PathPrefix: "/a" }, { RequestHeader: "A", Set: "2" }, { PathPrefix: "/b" }],
    });
  });

  it("and variables may name items in any order", async () => {
    const hosts = (...letters: readonly string[]): string[] => letters.map((letter) => `${letter}.test`);
    const over = Object.fromEntries([11, 2, 1, 10, 3, 4, 9, 8, 7, 6, 5].map((index) => [index, `${"abcdefghijkl"[index]}.test`]));
    const [file, laidOver] = await write({ "a.json": proxy({ r: { Match: { Hosts: ["a.test"] } } }), "b.json": proxy({ r: { Match: { Hosts: over } } }) });
    const expected = hosts(..."abcdefghijkl");
    const { config } = await loadGatewayConfig([file!, laidOver!]);
    expect(config.reverseProxy.routes[0]?.match.hosts).toEqual(expected);
    const env = Object.fromEntries(Object.entries(over).map(([index, host]) => [`ReverseProxy__Routes__r__Match__Hosts__${index}`, host]));
    const fromEnv = await loadGatewayConfig(file!, { env });
    expect(fromEnv.config.reverseProxy.routes[0]?.match.hosts).toEqual(expected);
  });

  it("may replace a value by null, and a list by a text", async () => {
    const config = await load(
      proxy({ r: { ClusterId: "c", Match: { Path: "/r", Methods: ["GET", "PUT"] } } }),
      proxy({ r: { ClusterId: null, Match: { Methods: "POST" }, Respond: { StatusCode: 503 } } }),
    );
    expect(config.reverseProxy.routes).toEqual([
      { routeId: "r", match: { path: "/r", methods: ["POST"] }, respond: { statusCode: 503 } },
    ]);
  });

  it("keep what a later one mentions without saying anything", async () => {
    const config = await load(proxy({ r: { Match: { Path: "/r" } } }, { c: {} }), { ReverseProxy: { Routes: {}, Clusters: { c: {} } } }, { ReverseProxy: { Routes: null, Clusters: "" } }, {
      ReverseProxy: null,
    });
    expect(config.reverseProxy.routes).toHaveLength(1);
    expect(config.reverseProxy.clusters).toHaveLength(1);
  });

  it("have each fault at its place in its file, in the spelling of that file", async () => {
    const [base, over] = await write({
      "a.json": `{ "Kestrel": { "Limits": { "MaxRequestLineSize": "x" } },\n "ReverseProxy": { "Routes": {\n "r": { "Match": {}, "Order": 1 } } } }`,
      "b.yaml": "server:\n  limits:\n    MaxRequestHeaderCount: y\nreverseproxy:\n  routes:\n    R:\n      order: z\n      Mach: 1\n      transforms: [{}]\n",
    });
    const issues = await issuesOf([base!, over!]);
    expect(issues.map(({ code, source, line, pointer }) => [code, source, line, pointer])).toEqual([
      ["unknown-key", over, 8, "/reverseproxy/routes/R/Mach"],
      ["conversion", over, 7, "/reverseproxy/routes/R/order"],
      ["transform-empty", over, 9, "/reverseproxy/routes/R/transforms/0"],
      ["host-or-path-required", base, 3, "/ReverseProxy/Routes/r/Match"],
      ["conversion", base, 1, "/Kestrel/Limits/MaxRequestLineSize"],
      ["conversion", over, 3, "/server/limits/MaxRequestHeaderCount"],
    ]);
  });

  it("do not hide a key that stands twice in one of them", async () => {
    const [base, over] = await write({
      "a.json": proxy({ r: { Match: { Path: "/r" } } }),
      "b.json": `{ "ReverseProxy": { "Routes": { "r": {},\n "R": {} } }, "Server": {},\n "Kestrel": {} }`,
    });
    expect((await issuesOf([base!, over!])).map(({ code, source, line }) => [code, source, line])).toEqual([
      ["duplicate-key", over, 2],
      ["duplicate-key", over, 3],
    ]);
  });

  it("have a BodyFile beside the file that names it", async () => {
    const paths = await write({ "a.json": proxy({ r: { Match: { Path: "/r" }, Respond: {} } }) });
    const [over] = await write({ "b.json": proxy({ r: { Respond: { BodyFile: "page.html" } } }) });
    const { config } = await loadGatewayConfig([...paths, over!]);
    expect(config.reverseProxy.routes[0]?.respond?.bodyFile).toBe(join(directory, "page.html"));
  });

  it("report the faults of all, also of those that cannot be read", async () => {
    const [first, second] = await write({ "a.json": "{", "b.json": "[1," });
    const third = join(directory, "missing.json");
    const [list] = await write({ "list.json": [1] });
    const issues = await issuesOf([first!, second!, third, list!]);
    expect(new Set(issues.map((issue) => issue.source))).toEqual(new Set([first, second, third, list]));
  });

  it("one that cannot be parsed does not keep the others from being checked", async () => {
    const paths = await write({ "a.json": "{", "b.json": proxy({ r: { ClusterId: "in-a", Order: "x", Match: {} } }) });
    expect((await issuesOf(paths)).map((issue) => issue.code)).toEqual(["conversion", "host-or-path-required", "syntax"]);
  });

  it("of thousands of routes are laid over one another", async () => {
    const many = (path: string): unknown =>
      proxy(Object.fromEntries(Array.from({ length: 4000 }, (_, index) => [`r${index}`, { Match: { Path: `/${path}${index}` } }])));
    const paths = await write({ "a.json": many("a"), "b.json": many("b"), "c.json": proxy({ new: { Match: { Path: "/" } } }) });
    const { config } = await loadGatewayConfig(paths, { validate: false });
    expect(config.reverseProxy.routes).toHaveLength(4001);
    expect(config.reverseProxy.routes[3999]?.match.path).toBe("/b3999");
  });
});
