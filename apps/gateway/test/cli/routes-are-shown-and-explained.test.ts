import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { routes } from "../../src/cli/routes.ts";
import { configFolder } from "../support/config-file.ts";

const shop = fileURLToPath(new URL("../end-to-end/shop.json", import.meta.url));

async function run(options: { request?: string; headers?: string[]; json?: boolean; files?: string[] } = {}) {
  let out = "";
  let error = "";
  const code = await routes(
    {
      command: "routes",
      files: options.files ?? [shop],
      strict: false,
      json: options.json ?? false,
      request: options.request,
      headers: options.headers ?? [],
    },
    { out: (text) => (out += text), error: (text) => (error += text) },
  );
  return { code, out, error };
}

describe("gateway routes", () => {
  test("the table is in the order of matching, with what each route asks for and does", async () => {
    const { code, out } = await run();
    expect(code).toBe(0);
    const lines = out.trimEnd().split("\n");
    expect(lines).toHaveLength(11);
    expect(lines[1]).toMatch(/^1 +orders-canary +\/api\/orders\/\{\*\*remainder\} header X-Canary ExactHeader 1\|true order -10 +-> cluster 'web'$/);
    expect(lines[2]).toMatch(/^2 +catalog-preview /);
    expect(out).toMatch(/ health +\/healthz +-> answer 200\n/);
    expect(out).toMatch(/ moved +\/shop\/\{item\} +-> redirect 308 \/api\/catalog\/\{item\}\n/);
    expect(out).toMatch(/ dead +host dead\.shop\.test every path +-> cluster 'dead'\n/);
  });

  test("routes with files say so, and the settings of the process do not matter", async () => {
    await using folder = await configFolder();
    const file = await folder.write("files.json", JSON.stringify({
      Server: { Endpoints: { Https: { Url: "https://*:443", Certificate: { Path: "/nowhere.pem" } } } },
      Policies: { StaticFiles: { site: { Root: "." } } },
      ReverseProxy: {
        Routes: {
          app: { Match: { Path: "/app/{**rest}" }, StaticFilesPolicy: "site", ClusterId: "app" },
          site: { Match: { Path: "/{**rest}" }, StaticFilesPolicy: "site" },
          off: { Match: { Path: "/off" } },
        },
        Clusters: { app: { Destinations: { a: { Address: "http://127.0.0.1:1" } } } },
      },
    }));
    const { code, out } = await run({ files: [file] });
    expect(code).toBe(0);
    expect(out).toMatch(/ app .*-> files 'site', else cluster 'app'\n/);
    expect(out).toMatch(/ site .*-> files 'site'\n/);
    expect(out).toMatch(/ off .*-> no cluster: 503\n/);
  });

  test("a request is explained: who wins, and why each other route does not", async () => {
    const { out } = await run({ request: "GET http://shop.test/api/orders/42?a=b", headers: ["X-Canary: no"] });
    expect(out).toMatch(/^GET http:\/\/shop\.test\/api\/orders\/42\?a=b\nroute 'orders' -> cluster 'orders'\n/);
    expect(out).toMatch(/=> +\d+ +orders +this route gets the request\n/);
    expect(out).toMatch(/ orders-canary +header rule 1 does not hold: X-Canary/);
    expect(out).toMatch(/ admin +host is not one of/);
    expect(out).toMatch(/ web +route "orders" comes first\n/);
  });

  test("headers of the request count, Host among them", async () => {
    const canary = await run({ request: "http://shop.test/api/orders/42", headers: ["X-Canary: true"] });
    expect(canary.out).toContain("route 'orders-canary'");
    const admin = await run({ request: "GET /x", headers: ["Host: admin.shop.test"] });
    expect(admin.out).toContain("route 'admin'");
  });

  test("no route and no method are told apart", async () => {
    expect((await run({ request: "GET http://nowhere.test/" })).out).toContain("no route: 404");
    expect((await run({ request: "DELETE http://api.shop.test/only-get" })).out).toContain("no route: 405, Allow: GET");
  });

  test("--json gives the same to programs", async () => {
    const table = JSON.parse((await run({ json: true })).out) as Record<string, unknown>[];
    expect(table[0]).toMatchObject({ position: 1, routeId: "orders-canary", clusterId: "web" });
    const explained = JSON.parse((await run({ json: true, request: "http://shop.test/api/orders/42" })).out) as Record<string, unknown>;
    expect(explained).toMatchObject({ result: "matched", route: "orders", values: { id: "42" } });
  });

  test.each([
    ["GET http://a b/", "is no request"],
    ["GET ftp://host/", "INVALID_TARGET_SCHEME"],
    ["G(ET http://host/", "is no request"],
  ])("%s is refused with exit code 2", async (request, message) => {
    const { code, error } = await run({ request });
    expect(code).toBe(2);
    expect(error).toContain(message);
  });

  test("a header without a colon is refused, and so is a missing file", async () => {
    expect((await run({ request: "/", headers: ["X-Canary"] })).code).toBe(2);
    expect((await run({ files: ["/nowhere/gateway.json"] })).code).toBe(2);
  });
});
