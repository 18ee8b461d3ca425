import type { ProxyConfigInput } from "@proxy/config";
import { expect, test } from "vitest";
import { oneCluster, testProxy } from "./support/proxies.ts";

const a = { address: "http://a.test/" };
const b = { address: "http://b.test/" };

function routed(enabled: { readonly route?: boolean; readonly cluster?: boolean; readonly destination?: boolean }): ProxyConfigInput {
  return {
    routes: { r: { enabled: enabled.route, clusterId: "c", match: { path: "/{**rest}" } } },
    clusters: { c: { enabled: enabled.cluster, destinations: { a: { ...a, enabled: enabled.destination }, b } } },
  };
}

test("a route that is off matches nothing, and ties with nothing", async () => {
  const { proxy, send } = await testProxy(routed({ route: false }));
  expect((await send()).response.status).toBe(404);
  expect([proxy.state.routes.length, proxy.state.route("r")]).toEqual([0, undefined]);
  await proxy.update(routed({ route: true }));
  expect((await send()).response.status).toBe(200);
  const twice = routed({});
  const { log } = await testProxy({ ...twice, routes: { ...twice.routes, off: { enabled: false, clusterId: "c", match: { path: "/{**rest}" } } } });
  expect(log.named("config-warning")).toEqual([]);
});

test("a cluster that is off is none: its routes answer 503, and it comes back anew", async () => {
  const { proxy, send, log } = await testProxy(routed({}));
  const before = proxy.state.cluster("c");
  await proxy.update(routed({ cluster: false }));
  expect((await send()).response.status).toBe(503);
  expect([proxy.state.cluster("c"), log.named("no-cluster-found").length, log.named("config-warning").length]).toEqual([undefined, 1, 1]);
  await proxy.update(routed({}));
  expect([(await send()).response.status, proxy.state.cluster("c") === before]).toEqual([200, false]);
});

test("a destination that is off gets no request", async () => {
  const { proxy, send, clients } = await testProxy(routed({ destination: false }));
  for (let i = 0; i < 20; i++) await send();
  expect(new Set(clients.flatMap((client) => client.calls.map((call) => call.origin.host)))).toEqual(new Set(["b.test"]));
  expect(proxy.state.cluster("c")?.destinations.all.map(({ id }) => id)).toEqual(["b"]);
});

test("without any destination that is on, requests get 503", async () => {
  const config = oneCluster(["a"]);
  const { send, log } = await testProxy({ ...config, clusters: { c: { destinations: { a: { ...a, enabled: false } } } } });
  expect((await send()).response.status).toBe(503);
  expect(log.named("config-warning").length).toBe(1);
});
