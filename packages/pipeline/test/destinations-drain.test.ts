import type { DrainTransition } from "@proxy/cluster";
import { expect, test } from "vitest";
import type { FakeHttpClient } from "./support/fake-client.ts";
import { FakeExchange } from "./support/fake-exchange.ts";
import { oneCluster, testProxy } from "./support/proxies.ts";

const hosts = (clients: readonly FakeHttpClient[]): string[] =>
  clients.flatMap((client) => client.calls.map((call) => call.origin.host.replace(".test", "")));

test("a drained destination gets no new requests, those under way finish, and it comes back", async () => {
  const told: string[] = [];
  const drainListeners = [(_cluster: unknown, { id }: { readonly id: string }, { kind, cause, inFlight }: DrainTransition) => void told.push(`${id} ${kind} ${cause} ${inFlight}`)];
  const { proxy, send, clients, log } = await testProxy(oneCluster(["a", "b"], { loadBalancingPolicy: "FirstAlphabetical" }), { script: undefined, drainListeners });
  const client = clients[0] as FakeHttpClient;
  client.script = undefined;
  const exchange = new FakeExchange();
  const under = proxy.handle(exchange);
  let drained = false;
  const drain = proxy.drain("C", "A").then(() => (drained = true));
  client.script = (call) => call.respond();
  for (let i = 0; i < 3; i++) await send();
  expect([hosts(clients), drained, told]).toEqual([["a", "b", "b", "b"], false, ["a draining call 1"]]);
  client.calls[0]?.respond();
  await under;
  await drain;
  expect([exchange.response.status, told[1]]).toEqual([200, "a drained call 0"]);

  // A reload does not bring it back; the call does.
  await proxy.update(oneCluster(["a", "b"], { loadBalancingPolicy: "FirstAlphabetical", slowStart: 1 }));
  await send();
  expect([proxy.undrain("c", "a"), proxy.undrain("c", "a")]).toEqual([true, false]);
  await send();
  expect([hosts(clients).slice(-2), told[2]]).toEqual([["b", "a"], "a undrained call 0"]);
  expect(["destination-draining", "destination-drained", "destination-undrained"].map((name) => log.named(name).length)).toEqual([1, 1, 1]);
});

test("also the last one: an operator's word goes before panic", async () => {
  const { proxy, send } = await testProxy(oneCluster(["a", "b"]));
  await Promise.all([proxy.drain("c", "a"), proxy.drain("c", "b")]);
  expect((await send()).response.status).toBe(503);
});

test("sessions stay at a destination that drains, unless they are to move", async () => {
  const sessionAffinity = { enabled: true, affinityKeyName: "key", policy: "HashCookie" };
  const { proxy, send, clients } = await testProxy(oneCluster(["a", "b"], { sessionAffinity, loadBalancingPolicy: "FirstAlphabetical" }));
  const cookie = (await send()).response.header("set-cookie")?.split(";")[0] ?? "";
  const session = { headers: [["Cookie", cookie]] as const };
  await proxy.drain("c", "a");
  const stayed = await send(session);
  await send();
  expect([hosts(clients), stayed.response.header("set-cookie")]).toEqual([["a", "a", "b"], undefined]);
  await proxy.drain("c", "a", { sessions: "move" });
  const moved = await send(session);
  expect([hosts(clients).at(-1), moved.response.header("set-cookie")?.startsWith("key=")]).toEqual(["b", true]);
});

test("a destination that a reload removes finishes what is under way, and is told to be gone", async () => {
  const { proxy, clients, log } = await testProxy(oneCluster(["a"]), { script: undefined });
  const client = clients[0] as FakeHttpClient;
  client.script = undefined;
  const exchange = new FakeExchange();
  const under = proxy.handle(exchange);
  const gone = proxy.state.cluster("c")?.destinations.all[0];
  await proxy.update(oneCluster(["b"]));
  expect(log.named("destination-draining")).toMatchObject([{ fields: { destination: "a", cause: "removed", inFlight: 1 } }]);
  expect(log.named("destination-drained")).toEqual([]);
  client.calls[0]?.respond();
  await under;
  expect([exchange.response.status, gone?.inFlight]).toEqual([200, 0]);
  expect(log.named("destination-drained")).toMatchObject([{ fields: { destination: "a", cause: "removed" } }]);
  // With its cluster as well; nothing was under way.
  await proxy.update({ routes: {}, clusters: {} });
  expect(log.named("destination-drained").map(({ fields }) => fields["destination"])).toEqual(["a", "b"]);
});

test("who waits for a drain is told also when it is taken back, or the destination goes", async () => {
  const { proxy, clients } = await testProxy(oneCluster(["a", "b"], { loadBalancingPolicy: "FirstAlphabetical" }), { script: undefined });
  const client = clients[0] as FakeHttpClient;
  client.script = undefined;
  const under = proxy.handle(new FakeExchange());
  const first = proxy.drain("c", "a");
  proxy.undrain("c", "a");
  await first;
  const second = proxy.drain("c", "a");
  await proxy.update(oneCluster(["b"]));
  client.calls[0]?.respond();
  await Promise.all([second, under]);
});

test("what is not there cannot drain", async () => {
  const { proxy } = await testProxy(oneCluster(["a"]));
  await expect(proxy.drain("c", "x")).rejects.toThrow(TypeError);
  await expect(proxy.drain("x", "a")).rejects.toThrow("there is no destination 'a' in a cluster 'x'");
  expect(() => proxy.undrain("c", "x")).toThrow(TypeError);
});
