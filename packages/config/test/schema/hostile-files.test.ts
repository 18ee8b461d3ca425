import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { ConfigError } from "../../src/index.ts";
import { decodeGatewayFile, loadGatewayConfig } from "../../src/schema/index.ts";
import type { TextFormat } from "../../src/schema/index.ts";

const json = JSON.stringify({
  Urls: "http://127.0.0.1:0",
  Server: { Limits: { MaxRequestBodySize: 1, KeepAliveTimeout: "00:01:00" }, Endpoints: { a: { Url: "http://x" } }, TrustedProxies: ["10.0.0.0/8"] },
  ReverseProxy: {
    Routes: {
      r1: {
        ClusterId: "c1",
        Order: 1,
        Timeout: "00:00:15",
        Match: { Path: "/{**all}", Hosts: ["a.b:80"], Methods: ["GET"], Headers: [{ Name: "h", Values: ["v"], Mode: "Contains" }] },
        Transforms: [{ PathPrefix: "/x" }, { RequestHeader: "a", Set: "b" }],
        Metadata: { a: 1, b: true, c: null },
      },
      r2: { Match: { Hosts: ["*.c"] }, Respond: { StatusCode: 200, Body: "x" } },
    },
    Clusters: { c1: { Destinations: { d1: { Address: "http://127.0.0.1:9/" } }, HttpClient: { SslProtocols: ["Tls12"] }, HttpRequest: { Version: "2" } } },
  },
});
const yaml = `
Urls: [http://127.0.0.1:0]
ReverseProxy:
  Routes:
    r1: &r
      ClusterId: c1
      Match: { Path: "/{**all}", Hosts: [a.b], Methods: [GET] }
      Timeout: 00:00:15
      Transforms:
        - PathPrefix: /x
        - RequestHeader: a
          Set: 'b'
    r2: *r
  Clusters:
    c1:
      Destinations: { d1: { Address: http://127.0.0.1:9/ } }
      Metadata:
        text: |
          several
          lines
`;

/** Accepted, or refused with a `ConfigError` that has an error; nothing else. */
async function isHandled(input: string | Uint8Array, format: TextFormat): Promise<void> {
  try {
    await decodeGatewayFile(input, { format });
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    const { issues } = error as ConfigError;
    expect(issues.some((issue) => issue.severity === "error")).toBe(true);
    for (const { line, column } of issues) {
      if (line !== undefined) expect(Math.min(line, column ?? 1)).toBeGreaterThan(0);
    }
  }
}

/** `text` with pieces removed, doubled or replaced. */
function mutationsOf(text: string): fc.Arbitrary<string> {
  const piece = fc.constantFrom("{", "}", "[", "]", '"', ":", ",", "null", "-1", "__proto__", "constructor", "&a", "*a", "- ", "\n", "\t", "\u0000", "1e999", "!!x ", "|", "\u{1F600}");
  const edit = fc.record({ at: fc.nat(text.length), remove: fc.nat(12), insert: fc.oneof(piece, fc.string({ maxLength: 6 })) });
  return fc.array(edit, { minLength: 1, maxLength: 4 }).map((edits) =>
    edits.reduce((result, { at, remove, insert }) => result.slice(0, at) + insert + result.slice(at + remove), text),
  );
}

const formats: readonly TextFormat[] = ["json", "yaml"];

describe("whatever a file holds", () => {
  const before = Object.getOwnPropertyNames(Object.prototype).length;
  afterEach(() => {
    expect(Object.getOwnPropertyNames(Object.prototype)).toHaveLength(before);
  });

  it.each(formats)("random bytes as %s are refused or read, never anything else", async (format) => {
    await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), (bytes) => isHandled(bytes, format)), { numRuns: 300 });
  });

  it("mutated JSON files are refused or read, never anything else", async () => {
    await fc.assert(fc.asyncProperty(mutationsOf(json), (text) => isHandled(text, "json")), { numRuns: 400 });
  });

  it("mutated YAML files are refused or read, never anything else", async () => {
    await fc.assert(fc.asyncProperty(mutationsOf(yaml), (text) => isHandled(text, "yaml")), { numRuns: 400 });
  });

  it("any JSON value in any section is refused or read, never anything else", async () => {
    const value = fc.jsonValue({ maxDepth: 5 });
    const section = fc.constantFrom("Routes", "Clusters");
    await fc.assert(
      fc.asyncProperty(section, value, (name, content) => isHandled(JSON.stringify({ ReverseProxy: { [name]: { x: content } }, Server: content }), "json")),
      { numRuns: 300 },
    );
  });

  it("names of inherited members are keys like any other", async () => {
    const names = ["constructor", "prototype", "toString", "hasOwnProperty", "valueOf"];
    for (const name of names) {
      const text = `{ "ReverseProxy": { "Clusters": { "${name}": { "Destinations": { "${name}": { "Address": "http://a" } } } } } }`;
      const { config } = await decodeGatewayFile(text);
      expect(Object.keys(config.reverseProxy.clusters[0]?.destinations ?? {})).toEqual([name]);
    }
  });
});

async function codesOf(input: string | Uint8Array, format: TextFormat = "json"): Promise<readonly string[]> {
  const error: unknown = await decodeGatewayFile(input, { format }).then(() => undefined, (error: unknown) => error);
  expect(error).toBeInstanceOf(ConfigError);
  return (error as ConfigError).issues.map((issue) => issue.code);
}

describe("a file that cannot be read is refused with its reason", () => {
  it.each([
    ["empty", "", ["syntax"]],
    ["only blanks", " \n", ["syntax"]],
    ["a list", "[]", ["root-not-object"]],
    ["a text", '"x"', ["root-not-object"]],
    ["cut off", '{ "ReverseProxy": {', ["syntax"]],
  ])("%s", async (_, text, expected) => {
    expect(new Set(await codesOf(text))).toEqual(new Set(expected));
  });

  it("invalid UTF-8, with its position", async () => {
    const bytes = Buffer.from('{\n"a": "\u00ff"}', "latin1");
    await expect(decodeGatewayFile(bytes)).rejects.toMatchObject({ issues: [{ code: "invalid-utf8", line: 2, column: 7 }] });
  });

  it("more than 16 MiB, in YAML more than 4 MiB", async () => {
    expect(await codesOf(Buffer.alloc(16 * 1024 * 1024 + 1, " "))).toEqual(["file-too-large"]);
    expect(await codesOf(Buffer.alloc(4 * 1024 * 1024 + 1, " "), "yaml")).toEqual(["file-too-large"]);
  });

  it.each([
    ["JSON lists", "[".repeat(5_000_000), "json"],
    ["JSON objects", '{"a":'.repeat(1_000_000), "json"],
    ["YAML flow lists", "[".repeat(100_000), "yaml"],
    ["YAML block lists", "- ".repeat(100_000), "yaml"],
    ["YAML block maps", Array.from({ length: 2000 }, (_, depth) => `${" ".repeat(depth)}a:`).join("\n"), "yaml"],
  ] as const)("very deep %s", async (_, text, format) => {
    expect(await codesOf(text, format)).toEqual(["too-deep"]);
  });

  it("64 levels are not too deep", async () => {
    const text = `{ "Other": ${"[".repeat(63)}${"]".repeat(63)}, "ReverseProxy": {} }`;
    await expect(decodeGatewayFile(text)).resolves.toBeDefined();
    expect(await codesOf(text.replace("[", "[[").replace("]", "]]"))).toEqual(["too-deep"]);
  });
});

describe("what is no regular file", () => {
  it.skipIf(process.platform === "win32")("is refused: a device has no end, a pipe keeps waiting", async () => {
    const directory = await mkdtemp(join(tmpdir(), "config-"));
    const pipe = join(directory, "pipe.json");
    execFileSync("mkfifo", [pipe]);
    for (const path of ["/dev/zero", pipe, directory]) {
      await expect(loadGatewayConfig(path)).rejects.toMatchObject({ issues: [{ code: "file-unreadable", source: path }] });
    }
    await rm(directory, { recursive: true });
  });
});

describe("a large configuration", () => {
  it("with a fault in each of 5000 routes is reported whole", async () => {
    const routes = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`r${i}`, { ClusterId: "c", Order: "x", Mach: 1, Match: { Path: `/${i}` } }]));
    await expect(decodeGatewayFile(JSON.stringify({ ReverseProxy: { Routes: routes } }))).rejects.toSatisfy(
      (error) => (error as ConfigError).issues.length === 10_000,
    );
  });
});
