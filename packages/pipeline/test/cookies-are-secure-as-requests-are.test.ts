import { expect, test } from "vitest";
import type { SessionAffinityCookieConfig } from "@proxy/config";
import { oneCluster, testProxy } from "./support/proxies.ts";

const cookie: SessionAffinityCookieConfig = { securePolicy: "SameAsRequest" };
const destinations = oneCluster(["a", "b"]).clusters ?? {};
const configs = {
  "session affinity": oneCluster(["a", "b"], { sessionAffinity: { enabled: true, affinityKeyName: "session", cookie } }),
  "traffic splits": {
    routes: { all: { match: { path: "/{**rest}" }, trafficSplit: { clusters: { c: 1 }, sticky: { name: "variant", cookie } } } },
    clusters: destinations,
  },
} as const;

// The peer of these exchanges is 192.0.2.7.
test.each([
  ["https", "what a trusted proxy says", ["192.0.2.7"], [["X-Forwarded-Proto", "https"]], true],
  ["https", "what a trusted proxy says", ["192.0.2.7"], [["Forwarded", "for=203.0.113.9;proto=https"]], true],
  ["http", "what a trusted proxy says", ["192.0.2.7"], [["X-Forwarded-Proto", "http"]], false],
  ["http", "the connection, where nobody is trusted", [], [["X-Forwarded-Proto", "https"]], false],
] as const)("cookies of sessions are marked Secure as the request came: %s by %s", async (_scheme, _by, trustedProxies, headers, secure) => {
  for (const [kind, config] of Object.entries(configs)) {
    const { proxy, send } = await testProxy(config, { trustedProxies: [...trustedProxies] });
    const line = (await send({ headers })).response.header("Set-Cookie");
    expect(line, kind).toContain("=");
    expect(/; secure/i.test(line ?? ""), kind).toBe(secure);
    await proxy.close();
  }
});
