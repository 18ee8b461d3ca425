/** What section "policies" of docs/delegation.md says of requests that are delegated over HTTP.sys, with servers of HTTP.sys on either side. */
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createHttpSysCarrier, Delegator } from "@proxy/delegation";
import { HeaderList } from "@proxy/http";
import { createHttpSysServer, type HttpSysServer } from "@proxy/httpsys";
import { createReverseProxy, type ReverseProxy } from "@proxy/pipeline";
import { afterEach, describe, expect, test } from "vitest";
// @boundaries-ignore the double of the HTTP Server API
import { double, freePort, missing } from "../../../../packages/httpsys/test/double.ts";

type Config = Parameters<ReverseProxy["update"]>[0];
type Cluster = Readonly<Record<string, unknown>>;

describe.skipIf(missing !== undefined)(missing ?? "a cluster whose destinations delegate over HTTP.sys, through the double,", () => {
  const closers: (() => unknown)[] = [];
  afterEach(async () => {
    for (const close of closers.splice(0).toReversed()) await close();
  });

  /** A process of its own would do the same: answers with its name. */
  async function startTarget(name: string): Promise<{ readonly queue: string; readonly address: string; close(): Promise<void> }> {
    const port = await freePort();
    const queue = `policies-${process.pid}-${name}-${port}`;
    const server = createHttpSysServer({
      library: await double(),
      queue: { name: queue },
      handler: ({ response }) => response.send({ status: 200, headers: new HeaderList() }, name),
    });
    await server.listen({ host: "localhost", port });
    const close = (): Promise<void> => server.close(1000);
    closers.push(close);
    return { queue, address: `http://localhost:${port}/`, close };
  }

  async function startGateway(cluster: Cluster): Promise<{ readonly port: number; readonly proxy: ReverseProxy; readonly delegator: Delegator; update(next: Cluster): Promise<void> }> {
    const config = (clusters: Cluster): Config => ({ routes: { r: { clusterId: "c", match: { path: "{**all}" } } }, clusters: { c: clusters } }) as Config;
    const servers: HttpSysServer[] = [];
    const delegator = new Delegator({ carriers: [createHttpSysCarrier(() => servers.flatMap(({ delegationSource }) => delegationSource ?? []))] });
    const proxy = await createReverseProxy({ config: config(cluster), delegator });
    const server = createHttpSysServer({ library: await double(), handler: proxy.handle });
    servers.push(server);
    const port = await freePort();
    await server.listen({ host: "127.0.0.1", port });
    closers.push(() => proxy.close(), () => server.close(1000));
    return { port, proxy, delegator, update: (next) => proxy.update(config(next)) };
  }

  async function get(port: number, headers: Readonly<Record<string, string>> = {}): Promise<{ readonly text: string; readonly cookie: string | null }> {
    const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: "close", ...headers } });
    return { text: `${response.status} ${await response.text()}`, cookie: response.headers.get("set-cookie") };
  }

  test("balances over them, and over those that are forwarded to", async () => {
    const [a, b] = [await startTarget("a"), await startTarget("b")];
    const plain = createServer((_request, response) => response.end("plain")).listen(0, "127.0.0.1");
    await once(plain, "listening");
    closers.push(() => plain.close());
    const { port, proxy, delegator } = await startGateway({
      loadBalancingPolicy: "RoundRobin",
      destinations: {
        a: { address: a.address, metadata: { HttpSysDelegationQueue: a.queue } },
        b: { address: b.address, metadata: { HttpSysDelegationQueue: b.queue } },
        p: { address: `http://127.0.0.1:${(plain.address() as AddressInfo).port}/` },
      },
    });
    const seen: string[] = [];
    for (let i = 0; i < 9; i++) seen.push((await get(port)).text);
    for (const name of ["a", "b", "plain"]) expect(seen.filter((text) => text === `200 ${name}`)).toHaveLength(3);
    const destinations = proxy.state.cluster("c")!.destinations.all;
    expect(destinations.map(({ inFlight }) => inFlight)).toEqual([0, 0, 0]);
    expect(destinations.map((each) => delegator.counts(each)?.delegated)).toEqual([3, 3, undefined]);
  });

  test("goes by affinity keys that clients have, and gives none", async () => {
    const [a, b] = [await startTarget("a"), await startTarget("b")];
    const plain = createServer((_request, response) => response.end("plain")).listen(0, "127.0.0.1");
    await once(plain, "listening");
    closers.push(() => plain.close());
    const address = `http://127.0.0.1:${(plain.address() as AddressInfo).port}/`;
    const rest = { sessionAffinity: { enabled: true, affinityKeyName: "key", policy: "HashCookie" }, loadBalancingPolicy: "RoundRobin" } as const;
    const { port, update } = await startGateway({ ...rest, destinations: { b: { address } } });
    const { cookie } = await get(port);
    const [key = ""] = (cookie ?? "").split(";");
    expect(key).toMatch(/^key=.+/);
    await update({
      ...rest,
      destinations: {
        a: { address: a.address, metadata: { HttpSysDelegationQueue: a.queue } },
        b: { address: b.address, metadata: { HttpSysDelegationQueue: b.queue } },
      },
    });
    for (let i = 0; i < 6; i++) expect(await get(port, { cookie: key })).toEqual({ text: "200 b", cookie: null });
    const without = new Set<unknown>();
    for (let i = 0; i < 6; i++) without.add(await get(port).then(({ text, cookie: given }) => `${text} ${given}`));
    expect(without).toEqual(new Set(["200 a null", "200 b null"]));
  });

  test("leaves one out whose queue is gone, by passive health, and one whose Health says so, by active health", async () => {
    const [a, b] = [await startTarget("a"), await startTarget("b")];
    let healthy = true;
    const health = createServer((_request, response) => void response.writeHead(healthy ? 200 : 503).end()).listen(0, "127.0.0.1");
    await once(health, "listening");
    closers.push(() => health.close());
    const probe = `http://127.0.0.1:${(health.address() as AddressInfo).port}/`;
    const { port, proxy } = await startGateway({
      loadBalancingPolicy: "RoundRobin",
      healthCheck: {
        passive: { enabled: true, reactivationPeriod: 3_600_000 },
        active: { enabled: true, interval: 20, timeout: 5000, policy: "ConsecutiveFailures" },
      },
      metadata: { "ConsecutiveFailuresHealthPolicy.Threshold": "1" },
      destinations: {
        a: { address: a.address, health: probe, metadata: { HttpSysDelegationQueue: a.queue } },
        b: { address: b.address, health: probe, metadata: { HttpSysDelegationQueue: b.queue } },
      },
    });
    const of = (id: string) => proxy.state.cluster("c")!.destinations.all.find((each) => each.id === id)!;
    // A wildcard prefix cannot be probed: `Health` is.
    await expect.poll(() => [of("a").activeHealth, of("b").activeHealth]).toEqual(["Healthy", "Healthy"]);
    await a.close();
    const statuses: string[] = [];
    while (of("a").passiveHealth !== "Unhealthy") statuses.push((await get(port)).text);
    expect(new Set(statuses)).toEqual(new Set(["200 b", "503 "]));
    for (let i = 0; i < 6; i++) expect((await get(port)).text).toBe("200 b");
    expect(of("b").passiveHealth).not.toBe("Unhealthy");
    healthy = false;
    await expect.poll(() => of("b").activeHealth).toBe("Unhealthy");
    expect(proxy.state.cluster("c")!.destinations.all.map(({ inFlight }) => inFlight)).toEqual([0, 0]);
  });
});
