import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { check } from "../../src/cli/check.ts";
import { configFolder, oneRoute } from "../support/config-file.ts";
import type { ConfigFolder } from "../support/config-file.ts";

let folder: ConfigFolder;
beforeEach(async () => {
  folder = await configFolder();
});
afterEach(() => folder[Symbol.asyncDispose]());

/** The command with its output caught. */
async function run(files: readonly string[], options: { json?: boolean; strict?: boolean } = {}) {
  let out = "";
  let error = "";
  const code = await check(
    { command: "check", files, json: options.json ?? false, strict: options.strict ?? false },
    { out: (text) => (out += text), error: (text) => (error += text) },
  );
  return { code, out, error };
}

const broken = {
  ReverseProxy: {
    Routes: {
      "no-match": { ClusterId: "c", Match: {} },
      twice: { ClusterId: "c", Match: { Path: "/{a}/{a}" } },
      frob: { ClusterId: "c", Match: { Path: "/x" }, Transforms: [{ Frobnicate: "yes" }] },
    },
    Clusters: { c: { LoadBalancingPolicy: "Nope", Destinations: { d: { Address: "http://127.0.0.1:9/" } } } },
  },
};

describe("gateway check", () => {
  test("a good file is 0 and counted", async () => {
    const file = await folder.write("good.json", oneRoute("http://127.0.0.1:9/"));
    expect(await run([file])).toEqual({ code: 0, out: `${file}: fine, 1 routes, 1 clusters\n`, error: "" });
  });

  test("everything wrong is said at once, with its place in the file", async () => {
    const file = await folder.write("broken.json", broken);
    const { code, out, error } = await run([file]);
    expect(code).toBe(1);
    expect(out).toBe("");
    for (const word of ["no-match", "twice", "Frobnicate", "Nope"]) expect(error).toContain(word);
    expect(error).toMatch(/broken\.json:\d+:\d+ error /);
    expect(error).toMatch(/\n4 errors\n$/);
  });

  test("--json says the same to programs", async () => {
    const file = await folder.write("broken.json", broken);
    const { code, error } = await run([file], { json: true });
    expect(code).toBe(1);
    const report = JSON.parse(error) as { valid: boolean; issues: Record<string, unknown>[] };
    expect(report.valid).toBe(false);
    expect(report.issues).toHaveLength(4);
    expect(report.issues[0]).toMatchObject({ severity: "error", source: file, line: expect.any(Number) as number });
  });

  test("a warning is no error, except when strict", async () => {
    const file = await folder.write("odd.json", oneRoute("http://127.0.0.1:9/", { Server: { Enpoints: {} } }));
    const lax = await run([file]);
    expect(lax.code).toBe(0);
    expect(lax.error).toContain("warning");
    expect(lax.error).toContain("Endpoints");
    expect((await run([file], { strict: true })).code).toBe(1);
  });

  test("an address that cannot be listened on is an error", async () => {
    const file = await folder.write(
      "tls.json",
      oneRoute("http://127.0.0.1:9/", { Kestrel: { Endpoints: { Tls: { Url: "https://*:443" } } }, Urls: "nonsense" }),
    );
    const { code, error } = await run([file]);
    expect(code).toBe(1);
    expect(error).toContain("endpoint 'Tls': an https address needs a Certificate, Sni or Certificates:Default");
    expect(error).toMatch(/tls\.json:\d+:\d\d+ error certificate-invalid/);
    expect(error).toContain("`gateway dev-cert` makes one");
    expect(error).toContain("'nonsense' is no address to listen on");
  });

  test("every missing file is named, and the exit code is 2", async () => {
    const file = await folder.write("good.json", oneRoute("http://127.0.0.1:9/"));
    const { code, error } = await run([`${folder.path}/one`, file, `${folder.path}/two`]);
    expect(code).toBe(2);
    expect(error).toContain(`${folder.path}/one`);
    expect(error).toContain(`${folder.path}/two`);
    expect(error).not.toContain("good.json");
    const asJson = await run([`${folder.path}/one`], { json: true });
    expect(asJson.code).toBe(2);
    expect(JSON.parse(asJson.error)).toMatchObject({ valid: false, issues: [{ code: "file-unreadable", source: `${folder.path}/one` }] });
  });

  test("faults of every kind are said together: structure, rules, addresses, trusted proxies", async () => {
    const file = await folder.write("all.json", {
      Urls: "http://*:bad",
      Server: { Endpoints: { a: {} }, TrustedProxies: ["nobody"], Limits: { MaxRequestLineSize: "x" } },
      ReverseProxy: { Routes: { r: { Order: "x", Match: {} } } },
    });
    const { error } = await run([file], { json: true });
    const { issues } = JSON.parse(error) as { issues: { code: string; line?: number }[] };
    expect(issues.map(({ code }) => code).sort()).toEqual(
      ["conversion", "conversion", "endpoint-url-missing", "host-or-path-required", "listen-url-invalid", "trusted-proxy-invalid"],
    );
    expect(issues.every(({ line }) => line !== undefined)).toBe(true);
  });
});
