import { describe, expect, it } from "vitest";
import { validatePolicies } from "../../src/index.ts";
import { decodeGatewayFile } from "../../src/schema/index.ts";

describe("output cache policies", () => {
  it("are read with the kinds of their members", async () => {
    const text = JSON.stringify({
      Policies: {
        OutputCache: {
          Default: { Duration: "5m", VaryByQuery: ["page", "Sort"], VaryByHeader: "Accept-Language", Tags: ["a"], Cookies: "remove", SizeLimit: "1000" },
          none: { ExpirationTimeSpan: "00:00:10", VaryByQuery: [""], NoCache: true },
          web: { Mode: "http", LockTimeout: "500ms", IgnoreRequestCacheControl: true, UnkeyedHeaders: ["X-Theme"] },
        },
      },
      ReverseProxy: { Routes: { r: { ClusterId: "c", Match: { Path: "/" }, OutputCachePolicy: "disable" } }, Clusters: { c: {} } },
    });
    const { config } = await decodeGatewayFile(text);
    expect(config.reverseProxy.policies?.outputCache).toEqual([
      { name: "Default", duration: 300_000, varyByQuery: ["page", "Sort"], varyByHeader: ["Accept-Language"], tags: ["a"], cookies: "Remove", sizeLimit: 1000 },
      { name: "none", expirationTimeSpan: 10_000, varyByQuery: [""], noCache: true },
      { name: "web", mode: "Http", lockTimeout: 500, ignoreRequestCacheControl: true, unkeyedHeaders: ["X-Theme"] },
    ]);
  });

  it("say all that makes no sense in them", () => {
    const issues = validatePolicies({
      outputCache: [
        { name: "a", duration: 0, expirationTimeSpan: 1000, lockTimeout: Number.POSITIVE_INFINITY, sizeLimit: -1, maximumBodySize: 1.5, maxVariants: 0, lockQueueLimit: -1, varyByHeader: ["a b", "Range"], unkeyedHeaders: ["Host"], tags: [""] },
        { name: "b", mode: "Http", duration: 1000, varyByHost: false, ignoreAnswerCacheControl: true },
        { name: "Disable" },
        { name: "fine", duration: 1000, unkeyedHeaders: [] },
      ],
    });
    expect(issues.map(({ code, path }) => `${code} ${path.slice(2).join(".")}`)).toEqual([
      "output-cache a.Duration",
      "output-cache a.LockTimeout",
      "output-cache a.ExpirationTimeSpan",
      "output-cache a.SizeLimit",
      "output-cache a.MaximumBodySize",
      "output-cache a.MaxVariants",
      "output-cache a.LockQueueLimit",
      "output-cache a.VaryByHeader.0",
      "output-cache a.VaryByHeader.1",
      "output-cache a.UnkeyedHeaders",
      "output-cache a.Tags",
      "output-cache b.Duration",
      "output-cache b.VaryByHost",
      "output-cache b.IgnoreAnswerCacheControl",
      "policy-name Disable",
    ]);
  });
});
