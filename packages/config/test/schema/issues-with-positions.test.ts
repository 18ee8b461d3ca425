import { describe, expect, it } from "vitest";
import type { ConfigIssue } from "../../src/index.ts";
import { ConfigError, formatIssue } from "../../src/index.ts";
import type { LoadedGatewayConfig } from "../../src/schema/index.ts";
import { decodeGatewayFile } from "../../src/schema/index.ts";
import type { DecodeFileOptions } from "../../src/schema/index.ts";

type Options = DecodeFileOptions & { readonly format?: "json" | "yaml" };

function decode(text: string, options: Options = {}): Promise<LoadedGatewayConfig> {
  return decodeGatewayFile(text, { source: "proxy.json", ...options });
}

async function issuesOf(text: string, options: Options = {}): Promise<readonly ConfigIssue[]> {
  const error: unknown = await decode(text, options).then(() => undefined, (error: unknown) => error);
  if (!(error instanceof ConfigError)) throw new Error("the configuration was accepted");
  return error.issues;
}

const codes = (issues: readonly ConfigIssue[]): string[] => issues.map((issue) => issue.code);

const valid = `{
  // the proxy
  "ReverseProxy": {
    "Routes": { "r1": { "ClusterId": "c1", "Match": { "Path": "/{**all}" }, } },
    "Clusters": { "c1": { "Destinations": { "d1": { "Address": "http://127.0.0.1:9/" } } } } /* end */
  },
}`;

describe("a configuration file", () => {
  it("may have comments, trailing commas and a byte order mark", async () => {
    const { config, warnings } = await decode(`\u{FEFF}${valid}`);
    expect(warnings).toEqual([]);
    expect(config.reverseProxy.routes[0]).toMatchObject({ routeId: "r1", clusterId: "c1", match: { path: "/{**all}" } });
  });

  it("has the same revision exactly when its content is the same", async () => {
    const first = await decode(valid);
    const commented = await decode(valid.replace("// the proxy", "// another comment"));
    const changed = await decode(valid.replace("/{**all}", "/a"));
    expect(commented.config.reverseProxy.revisionId).toBe(first.config.reverseProxy.revisionId);
    expect(changed.config.reverseProxy.revisionId).not.toBe(first.config.reverseProxy.revisionId);
  });

  it("reports structural and semantic faults of all routes and clusters together, routes first", async () => {
    const issues = await issuesOf(`{
  "ReverseProxy": {
    "Clusters": { "c1": { "HttpClient": { "MaxConnectionsPerServer": 0 }, "HttpRequest": { "ActivityTimeout": "soon" } } },
    "Routes": {
      "r1": { "ClusterId": "c1", "Order": "first", "Match": { "Path": "/", "Methods": ["gett"] } },
      "r2": { "ClusterId": "c1", "Match": {} }
    }
  }
}`);
    expect(issues.map(({ code, line, pointer, value }) => ({ code, line, pointer, value }))).toEqual([
      { code: "conversion", line: 5, pointer: "/ReverseProxy/Routes/r1/Order", value: "first" },
      { code: "method-unsupported", line: 5, pointer: "/ReverseProxy/Routes/r1/Match/Methods/0", value: "gett" },
      { code: "host-or-path-required", line: 6, pointer: "/ReverseProxy/Routes/r2/Match", value: undefined },
      { code: "conversion", line: 3, pointer: "/ReverseProxy/Clusters/c1/HttpRequest/ActivityTimeout", value: "soon" },
      { code: "max-connections", line: 3, pointer: "/ReverseProxy/Clusters/c1/HttpClient/MaxConnectionsPerServer", value: "0" },
    ]);
    expect(issues.every((issue) => issue.source === "proxy.json")).toBe(true);
  });

  it("does not report what only follows from a value that could not be read", async () => {
    const issues = await issuesOf(`{ "ReverseProxy": { "Routes": { "r": { "Match": "everything" } } } }`);
    expect(codes(issues)).toEqual(["conversion"]);
    expect(issues[0]?.message).toContain("Match must be an object");
  });

  it("points at line and column of the value", async () => {
    const [issue] = await issuesOf(`{\n  "ReverseProxy": { "Routes": {\n    "r": { "Match": { "Path": "/" }, "Timeout": "15" } } }\n}`);
    expect(issue).toMatchObject({ code: "conversion", line: 3, column: 49, hint: expect.stringContaining("00:00:15") as string });
    expect(formatIssue(issue as ConfigIssue).split("\n")[0]).toBe("proxy.json:3:49 error conversion: Timeout must be a duration, not '15' (route 'r')");
  });

  it("shows control characters of values as escapes and cuts long values", async () => {
    const [issue] = await issuesOf(JSON.stringify({ ReverseProxy: { Routes: { "r\u001B[31m\n": { Match: { Path: "/" }, Order: `\u0007${"x".repeat(500)}` } } } }));
    expect(formatIssue(issue as ConfigIssue)).not.toMatch(/[\u0000-\u001f]/);
    expect(issue?.value?.length).toBeLessThanOrEqual(120);
  });

  it("never shows the password of an address", async () => {
    const issues = await issuesOf(
      JSON.stringify({ ReverseProxy: { Clusters: { c: { Destinations: { d: { Address: "http://user:secret@host/" } } } } } }),
    );
    expect(codes(issues)).toEqual(["destination-address-invalid"]);
    expect(JSON.stringify(issues)).not.toContain("secret");
  });
});

describe("unknown keys", () => {
  const text = `{ "ReverseProxy": { "Routes": { "r": { "ClusterID": "c", "Mach": {}, "Match": { "Path": "/" } } }, "Clusters": { "c": {} } } }`;

  it("warn with a suggestion and their position", async () => {
    const { warnings } = await decode(text);
    expect(warnings).toMatchObject([{ code: "unknown-key", severity: "warning", hint: "did you mean Match?", line: 1, column: 58, path: ["Mach"] }]);
  });

  it("are errors under strict", async () => {
    expect(await issuesOf(text, { strict: true })).toMatchObject([{ code: "unknown-key", severity: "error" }]);
  });

  it("of other top-level sections are not looked at", async () => {
    const { warnings } = await decode(`{ "AllowedHosts": "*", "ConnectionStrings": { "a": 1 }, "Logging": { "Console": {} }, "ReverseProxy": {} }`, { strict: true });
    expect(warnings).toEqual([]);
  });

  it("tell of a misspelt section", async () => {
    const { warnings } = await decode(`{ "ReversProxy": {} }`);
    expect(warnings).toMatchObject([{ code: "unknown-key", hint: "did you mean ReverseProxy?" }, { code: "section-missing" }]);
  });

  it("never show their values, which may be secrets", async () => {
    const { warnings } = await decode(`{ "ReverseProxy": { "Clusters": { "c": { "Passwort": "hunter2" } } } }`);
    expect(warnings).toHaveLength(1);
    expect(JSON.stringify(warnings)).not.toContain("hunter2");
  });
});

describe("keys", () => {
  it("that stand twice are refused, also in another case", async () => {
    const issues = await issuesOf(
      `{ "ReverseProxy": { "Routes": { "r": { "ClusterId": "a", "clusterid": "b", "Match": { "Path": "/" }, "Metadata": { "k": 1, "K": 2 } },\n "R": {} } } }`,
    );
    expect(issues.map(({ code, line, value }) => [code, line, value])).toEqual([
      ["duplicate-key", 1, "clusterid"],
      ["duplicate-key", 1, "K"],
      ["duplicate-key", 2, "R"],
    ]);
  });

  it("Server and Kestrel are the same section", async () => {
    expect((await decode(`{ "Kestrel": { "Limits": { "MaxRequestHeaderCount": 7 } } }`)).config.server.limits).toEqual({ maxRequestHeaderCount: 7 });
    expect(codes(await issuesOf(`{ "Kestrel": {}, "Server": {} }`))).toContain("duplicate-key");
  });

  it("__proto__ is refused everywhere, constructor and prototype are plain ids", async () => {
    const issues = await issuesOf(
      `{ "__proto__": { "polluted": true }, "ReverseProxy": { "Routes": { "__proto__": {} }, "Clusters": { "c": { "Metadata": { "__proto__": "x" } } } } }`,
    );
    expect(codes(issues)).toEqual(["key-forbidden", "key-forbidden", "key-forbidden"]);
    const { config } = await decode(
      `{ "ReverseProxy": { "Clusters": { "constructor": { "Destinations": { "prototype": { "Address": "http://a" }, "constructor": { "Address": "http://b" } }, "Metadata": { "toString": "x" } } } } }`,
    );
    expect(config.reverseProxy.clusters[0]).toMatchObject({ clusterId: "constructor", metadata: { toString: "x" } });
    expect(Object.keys(config.reverseProxy.clusters[0]?.destinations ?? {})).toEqual(["prototype", "constructor"]);
    expect("polluted" in {}).toBe(false);
  });
});

describe("values", () => {
  it("may be single where a list is expected", async () => {
    const { config } = await decode(
      `{ "Urls": "http://a:1;http://b:2", "ReverseProxy": { "Routes": { "r": { "Match": { "Hosts": "a.b" } } }, "Clusters": { "c": { "HttpClient": { "SslProtocols": "tls12" } } } } }`,
    );
    expect(config.urls).toEqual(["http://a:1", "http://b:2"]);
    expect(config.reverseProxy.routes[0]?.match.hosts).toEqual(["a.b"]);
    expect(config.reverseProxy.clusters[0]?.httpClient?.sslProtocols).toEqual(["Tls12"]);
  });

  it("of flags may be several in one text, each checked", async () => {
    const text = (versions: string): string => `{ "ReverseProxy": { "Clusters": { "c": { "HttpClient": { "SslProtocols": "${versions}" } } } } }`;
    const { config } = await decode(text("Tls12, tls13"));
    expect(config.reverseProxy.clusters[0]?.httpClient?.sslProtocols).toEqual(["Tls12", "Tls13"]);
    await expect(decode(text("Tls12,,Tls13"))).rejects.toThrow("SslProtocols.1 must be one of");
  });

  it("of enums may be numbers of .NET", async () => {
    const { config } = await decode(
      JSON.stringify({
        ReverseProxy: {
          Routes: { r: { Match: { Path: "/", QueryParameters: [{ Name: "q", Mode: 3, Values: ["v"] }], Headers: [{ Name: "h", Mode: "5" }] } } },
          Clusters: { c: { HttpClient: { SslProtocols: [3072, "12288"] }, SessionAffinity: { Cookie: { SameSite: -1, SecurePolicy: 2 } } } },
        },
      }),
    );
    expect(config.reverseProxy.routes[0]?.match.queryParameters?.[0]?.mode).toBe("Prefix");
    expect(config.reverseProxy.routes[0]?.match.headers?.[0]?.mode).toBe("NotExists");
    expect(config.reverseProxy.clusters[0]?.httpClient?.sslProtocols).toEqual(["Tls12", "Tls13"]);
    expect(config.reverseProxy.clusters[0]?.sessionAffinity?.cookie).toEqual({ sameSite: "Unspecified", securePolicy: "None" });
  });

  it("a duration of the server is above 0 and no longer than a timer can wait", async () => {
    for (const text of ["25d", "00:00:00", "-1s"]) {
      const issues = await issuesOf(`{ "Server": { "ShutdownTimeout": "${text}", "Limits": { "HalfClosedTimeout": "${text}" } }, "ReverseProxy": {} }`);
      expect(issues.map(({ code }) => code)).toEqual(["conversion", "conversion"]);
    }
  });

  it("null lifts a limit", async () => {
    const { config } = await decode(`{ "Server": { "Limits": { "MaxRequestBodySize": null, "MinRequestBodyDataRate": null, "KeepAliveTimeout": "90s" } } }`);
    expect(config.server.limits).toEqual({ maxRequestBodySize: null, minRequestBodyDataRate: null, keepAliveTimeout: 90_000 });
  });

  it("the old array format of routes is refused with an explanation", async () => {
    const [issue] = await issuesOf(`{ "ReverseProxy": { "Routes": [ { "RouteId": "r" } ] } }`);
    expect(issue).toMatchObject({ code: "route-format", hint: expect.stringContaining("route id") as string });
  });

  it("a file without ReverseProxy is valid with a warning", async () => {
    const { warnings } = await decode(`{ "Routes": {} }`);
    expect(warnings).toMatchObject([{ code: "section-missing", hint: "put Routes and Clusters into a ReverseProxy section" }]);
    const other = await decodeGatewayFile('{ "Logging": {}, "YarpProxy": { "Routes": {}, "Clusters": {} } }');
    expect(other.warnings).toMatchObject([{ code: "section-missing", hint: "the section 'YarpProxy' has Routes and Clusters: call it ReverseProxy" }]);
  });

  it("the level of logs is read from Logging", async () => {
    const { config } = await decode(`{ "Logging": { "LogLevel": { "default": "warning", "Microsoft.AspNetCore": "Error" } } }`);
    expect(config.logging.level).toBe("Warning");
  });
});

describe("environment variables", () => {
  it("override and add, whatever their case", async () => {
    const { config } = await decode(valid, {
      env: {
        reverseproxy__CLUSTERS__C1__Destinations__D1__Address: "http://a",
        ReverseProxy__Clusters__c1__Destinations__d2__Address: "http://b",
        ReverseProxy__Routes__r1__Match__Hosts__0: "h",
        ReverseProxy__Routes__r1__Match__Hosts__1: "i",
        URLS: "http://x:1",
        Server__Limits__MaxRequestHeaderCount: "5",
        PATH: "/bin",
        ReverseProxyX__Routes: "1",
      },
    });
    expect(config.reverseProxy.clusters[0]?.destinations).toEqual({ d1: { address: "http://a" }, d2: { address: "http://b" } });
    expect(config.reverseProxy.routes[0]?.match.hosts).toEqual(["h", "i"]);
    expect(config.urls).toEqual(["http://x:1"]);
    expect(config.server.limits.maxRequestHeaderCount).toBe(5);
  });

  it("replace an item of a list and add one at its end", async () => {
    const { config } = await decode(`{ "ReverseProxy": { "Routes": { "r": { "Match": { "Hosts": ["a", "b"] } } } } }`, {
      env: { ReverseProxy__Routes__r__Match__Hosts__1: "c", ReverseProxy__Routes__r__Match__Hosts__9: "d" },
    });
    expect(config.reverseProxy.routes[0]?.match.hosts).toEqual(["a", "c", "d"]);
  });

  it("are named by issues about them", async () => {
    const name = "ReverseProxy__Routes__r1__Timeout";
    const [issue] = await issuesOf(valid, { env: { [name]: "0s" } });
    expect(issue).toMatchObject({ code: "timeout-not-positive", source: `environment variable ${name}`, value: "0s" });
  });

  it("cannot pollute", async () => {
    const env = JSON.parse(`{ "ReverseProxy__Clusters____proto____polluted": "1", "ReverseProxy____proto____x": "1" }`) as Record<string, string>;
    await decode(valid, { env }).catch(() => undefined);
    expect("polluted" in {}).toBe(false);
    expect("x" in {}).toBe(false);
  });
});

describe("YAML", () => {
  const yaml = `
ReverseProxy:
  Routes:
    r: &r { ClusterId: c, Match: { Path: /x }, Metadata: { version: 1.0, on: true } }
    s: *r
  Clusters:
    c:
      HttpRequest: { Version: 1.1, ActivityTimeout: 00:00:15 }
`;

  it("is read like JSON; numbers stay as written, aliases are followed", async () => {
    const { config } = await decode(yaml, { format: "yaml" });
    expect(config.reverseProxy.routes.map((route) => route.metadata)).toEqual([
      { version: "1.0", on: "True" },
      { version: "1.0", on: "True" },
    ]);
    expect(config.reverseProxy.clusters[0]?.httpRequest).toEqual({ version: "1.1", activityTimeout: 15_000 });
  });

  it("issues have positions", async () => {
    const issues = await issuesOf(yaml.replace("00:00:15", "soon"), { format: "yaml" });
    expect(issues).toMatchObject([{ code: "conversion", line: 8, column: 53, pointer: "/ReverseProxy/Clusters/c/HttpRequest/ActivityTimeout" }]);
  });

  it.each([
    ["a custom tag", "ReverseProxy: !!js/function 'x'", "yaml-tag"],
    ["a local tag", "ReverseProxy: !env X", "yaml-tag"],
    ["a merge key", "a: &a { b: 1 }\nServer: { <<: *a }", "yaml-merge"],
    ["a second document", "a: 1\n---\nb: 2", "syntax"],
    ["an alias without anchor", "a: *b", "syntax"],
    ["an alias to itself", "a: &a [*a]", "too-deep"],
    ["a key that stands twice", "Server: { Limits: {}, limits: {} }", "duplicate-key"],
    ["a key that is no text", "? [a, b]\n: c", "syntax"],
  ])("%s is refused", async (_, text, code) => {
    expect(codes(await issuesOf(text, { format: "yaml" }))).toContain(code);
  });

  it("a bomb of aliases is refused quickly", async () => {
    const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"];
    for (let i = 1; i < 20; i++) lines.push(`a${i}: &a${i} [${Array.from({ length: 9 }, () => `*a${i - 1}`).join(", ")}]`);
    expect(codes(await issuesOf(lines.join("\n"), { format: "yaml" }))).toEqual(["too-many-values"]);
  });
});
