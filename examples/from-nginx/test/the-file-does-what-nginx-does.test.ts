import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { behaviourOf } from "./behaviour.ts";
import { overrides, startGateway } from "./gateway.ts";
import { startSite, type Site } from "./site.ts";

let site: Site;
beforeAll(async () => {
  site = await startSite();
});
afterAll(() => site.close());

test("gateway check finds nothing wrong with it, also when strict", async () => {
  const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
  const args = ["--conditions=@proxy/source", path("../../../apps/gateway/src/main.ts"), "check", "--strict", "--config", path("../gateway.json")];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { env: { PATH: process.env["PATH"], ...overrides(site, 0) } });
  expect(stderr).toBe("");
  expect(stdout).toContain("fine, 11 routes, 3 clusters");
});

test("the gateway serves the site", async () => {
  const gateway = await startGateway(site);
  try {
    const shown = ["host=shop.example", "x-real-ip=127.0.0.1", "x-forwarded-proto=https"];
    expect(await behaviourOf(gateway)).toEqual({
      redirect: [301, "https://shop.example/a?b=c"],
      health: [200, "ok\n"],
      moved: [301, "/catalogue/7"],
      api: { status: 200, name: "api", url: "/v2/orders/7?x=1", shown, framework: undefined, frame: "DENY" },
      exports: [200, "/v2/exports/7"],
      retried: [200, 200, 200],
      zipped: "gzip",
      limited: [[200, 200, 200, 200, 200, 200], true],
      refused: 403,
      passed: [200, "/private/x"],
      cached: true,
      notCached: false,
      tooLarge: 413,
      php: [404, 404],
      start: { code: 200, type: "text/html", title: "Shop" },
      application: { code: 200, type: "text/html", title: "Shop" },
      file: [200, "text/css"],
      live: "/live hello",
      sorry: { code: 502, type: "text/html", title: "Sorry" },
    });
  } finally {
    await gateway.stop();
  }
});
