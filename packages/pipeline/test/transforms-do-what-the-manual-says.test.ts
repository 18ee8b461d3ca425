/** Each example of the manual, over sockets: what the client sends, what the destination gets, what comes back. */
import { readFileSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import { transforms, type TransformConfig } from "@proxy/pipeline";
import { builtIn } from "../src/transforms/catalogue.ts";
import { generateTransformManual, manualEntries, writeCode } from "../src/transforms/manual/write-manual.ts";
import { runExample } from "./support/manual-example.ts";
import { serve } from "./support/serving.ts";

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

describe("the manual", () => {
  it("names every transform, in the order of the catalogue", () => {
    expect(manualEntries.map(({ key }) => key)).toEqual(builtIn.map(({ key }) => key));
  });

  it("is what docs/transforms.md holds", () => {
    const page = readFileSync(new URL("../../../docs/transforms.md", import.meta.url), "utf8");
    expect(page).toContain(generateTransformManual());
  });

  it("writes the code that gives the configuration", () => {
    const names = Object.keys(transforms);
    expect(manualEntries.map(({ example }) => /transforms\.(\w+)\(/.exec(writeCode(example.transform))?.[1]).sort()).toEqual(names.sort());
    const pairs: [TransformConfig, TransformConfig][] = [
      [transforms.requestHeadersAllowed(["Accept", "X-Mine"]), { RequestHeadersAllowed: "Accept;X-Mine" }],
      [transforms.xForwarded("Remove", { for: "Set", headerPrefix: "X-C-" }), { "X-Forwarded": "Remove", For: "Set", HeaderPrefix: "X-C-" }],
      [transforms.forwarded(["for", "host"], { forFormat: "Ip" }), { Forwarded: "for,host", ForFormat: "Ip" }],
      [transforms.securityHeaders("Default", { override: true, headers: { "X-Frame-Options": "" } }), { SecurityHeaders: "Default", Override: "true", "X-Frame-Options": "" }],
      [transforms.responseHeader("A", { set: "1", when: "Always" }), { ResponseHeader: "A", Set: "1", When: "Always" }],
      [transforms.responseCookie("*", { secure: true, domain: "" }), { ResponseCookie: "*", Secure: "true", Domain: "" }],
    ];
    for (const [given, configured] of pairs) expect(given).toEqual(configured);
    expect(writeCode({ Forwarded: "for,host", ForFormat: "Ip" })).toBe('transforms.forwarded(["for", "host"], { forFormat: "Ip" })');
    expect(writeCode({ RedirectToHttps: "308", Port: "1" })).toBe('transforms.redirectToHttps(308, { port: "1" })');
  });
});

describe("over sockets", () => {
  it.each(manualEntries.map((entry) => [entry.key, entry.example] as const))("%s does what its example says", async (_key, example) => {
    await runExample(example, async ({ route, address }) => {
      const proxy = await serve({
        config: { routes: { r: { clusterId: "c", match: { path: route.path }, transforms: route.transforms } }, clusters: { c: { destinations: { d: { address } } } } },
      });
      open.push(proxy);
      return proxy.port;
    });
  });
});
