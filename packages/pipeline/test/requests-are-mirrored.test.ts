import { once } from "node:events";
import { request as send, type IncomingMessage, type RequestOptions } from "node:http";
import type { ClusterConfig, MirrorConfig, ProxyConfigInput } from "@proxy/config";
import { afterEach, expect, test } from "vitest";
import { nodeDestination, serve, type Served } from "./support/serving.ts";
import { RecordedEvents } from "./support/recorded-events.ts";
import { rawDestination } from "./support/raw-sockets.ts";
import type { ReverseProxy, ReverseProxyOptions } from "@proxy/pipeline";

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** A destination that answers with its name, and keeps what it got. */
async function destination(name: string, seen: Seen[]): Promise<Served> {
  const served = await nodeDestination(async (request, response) => {
    let body = "";
    try {
      for await (const chunk of request.setEncoding("latin1")) body += chunk as string;
    } catch {
      return;
    }
    seen.push({ method: request.method, url: request.url, headers: request.headers, body });
    response.end(name);
  });
  closers.push(() => served.close());
  return served;
}

interface Mirrored {
  readonly port: number;
  readonly proxy: ReverseProxy;
  readonly log: RecordedEvents;
}

async function mirroring(
  primary: number,
  shadow: number,
  mirror: Partial<MirrorConfig> = {},
  more: { readonly cluster?: Partial<ClusterConfig>; readonly transforms?: readonly Record<string, string>[]; readonly options?: Partial<ReverseProxyOptions> } = {},
): Promise<Mirrored> {
  const log = new RecordedEvents();
  const config: ProxyConfigInput = {
    routes: { r: { clusterId: "main", match: { path: "/{**rest}" }, mirror: { clusterId: "shadow", ...mirror }, transforms: more.transforms } },
    clusters: {
      main: { destinations: { d: { address: `http://127.0.0.1:${primary}/` } } },
      shadow: { destinations: { d: { address: `http://127.0.0.1:${shadow}/base` } }, ...more.cluster },
    },
  };
  const served = await serve({ config, logger: log, ...more.options });
  closers.push(() => served.close());
  return { port: served.port, proxy: served.proxy, log };
}

async function ask(port: number, options: RequestOptions = {}, chunks: readonly string[] = []): Promise<{ status: number | undefined; body: string }> {
  const outgoing = send({ port, host: "127.0.0.1", agent: false, ...options });
  for (const chunk of chunks) outgoing.write(chunk);
  outgoing.end();
  const [response] = (await once(outgoing, "response")) as [IncomingMessage];
  let body = "";
  for await (const chunk of response.setEncoding("latin1")) body += chunk as string;
  return { status: response.statusCode, body };
}

test("the copy has the request's method, path, fields and body, and the route's transforms", async () => {
  const main: Seen[] = [];
  const shadow: Seen[] = [];
  const { port, proxy } = await mirroring((await destination("main", main)).port, (await destination("shadow", shadow)).port, {}, { transforms: [{ PathPrefix: "/p" }, { RequestHeader: "X-Set", Set: "1" }] });
  expect(await ask(port, { path: "/x?q=1", headers: { "X-Mine": "2" } })).toEqual({ status: 200, body: "main" });
  expect(await ask(port, { method: "POST", path: "/y" }, ["some ", "data"])).toEqual({ status: 200, body: "main" });
  await expect.poll(() => shadow.length).toBe(2);
  const post = shadow.find(({ method }) => method === "POST");
  const get = shadow.find(({ method }) => method === "GET");
  expect([get?.url, get?.headers["x-mine"], get?.headers["x-set"], post?.url, post?.body]).toEqual(["/base/p/x?q=1", "2", "1", "/base/p/y", "some data"]);
  expect(main.map(({ url, body }) => [url, body])).toEqual([["/p/x?q=1", ""], ["/p/y", "some data"]]);
  await expect.poll(() => proxy.mirrorCounts("shadow")).toEqual({ active: 0, sent: 2, failed: 0, skipped: 0 });
  expect(proxy.mirrorCounts("nowhere")).toBeUndefined();
});

test("of a request that is retried there is one copy, of the whole body", async () => {
  const shadow: Seen[] = [];
  const failing = await rawDestination((received, socket) => {
    if (received.includes("some")) socket.resetAndDestroy();
  });
  closers.push(() => failing.close());
  const well = (await destination("main", [])).port;
  const { port, proxy } = await mirroring(failing.port, (await destination("shadow", shadow)).port);
  const destinations = { d: { address: `http://127.0.0.1:${failing.port}/` }, e: { address: `http://127.0.0.1:${well}/` } };
  const { routes, clusters } = proxy.state;
  await proxy.update({
    routes: { r: { ...routes[0]?.config, match: { path: "/{**rest}" } } },
    clusters: { main: { destinations, retry: {}, loadBalancingPolicy: "FirstAlphabetical" }, shadow: { ...clusters[1]?.model.config } },
  });
  expect(await ask(port, { method: "PUT" }, ["some ", "data"])).toEqual({ status: 200, body: "main" });
  await expect.poll(() => proxy.mirrorCounts("shadow")).toEqual({ active: 0, sent: 1, failed: 0, skipped: 0 });
  expect(shadow.map(({ body }) => body)).toEqual(["some data"]);
});

test("only the share that is asked for is copied", async () => {
  const shadow: Seen[] = [];
  let turn = 0;
  const random = (bound: number): number => Math.floor((((turn++ % 10) + 0.5) / 10) * bound);
  const { port, proxy } = await mirroring((await destination("main", [])).port, (await destination("shadow", shadow)).port, { percent: 30 }, { options: { random } });
  for (let i = 0; i < 20; i++) await ask(port);
  await expect.poll(() => proxy.mirrorCounts("shadow")).toMatchObject({ active: 0, sent: 6 });
  const none = await mirroring((await destination("main", [])).port, 1, { percent: 0 });
  await ask(none.port);
  expect(none.proxy.mirrorCounts("shadow")).toMatchObject({ sent: 0, skipped: 0 });
});

test("a body above the bound passes, and is not copied", async () => {
  const main: Seen[] = [];
  const { port, proxy, log } = await mirroring((await destination("main", main)).port, (await destination("shadow", [])).port, { maxBodySize: 10 });
  expect((await ask(port, { method: "POST", headers: { "Content-Length": "11" } }, ["x".repeat(11)])).body).toBe("main");
  expect((await ask(port, { method: "POST" }, ["x".repeat(6), "y".repeat(6)])).body).toBe("main");
  expect(main.map(({ body }) => body.length)).toEqual([11, 12]);
  expect(proxy.mirrorCounts("shadow")).toEqual({ active: 0, sent: 0, failed: 0, skipped: 2 });
  expect(log.named("mirror-skipped").map(({ fields }) => fields["reason"])).toEqual(["body", "body"]);
});

test("a cluster that fails, hangs or answers without end is nothing to the client", async () => {
  const failing = await rawDestination((_, socket) => socket.resetAndDestroy());
  closers.push(() => failing.close());
  const main = (await destination("main", [])).port;
  const broken = await mirroring(main, failing.port);
  expect(await ask(broken.port)).toEqual({ status: 200, body: "main" });
  await expect.poll(() => broken.proxy.mirrorCounts("shadow")).toEqual({ active: 0, sent: 1, failed: 1, skipped: 0 });
  expect(broken.log.named("mirror-failed")).toMatchObject([{ level: "info", fields: { route: "r", cluster: "shadow", code: "Request" } }]);
  expect(broken.log.named("forwarding-failed")).toEqual([]);

  const hanging = await rawDestination(() => {});
  closers.push(() => hanging.close());
  const slow = await mirroring(main, hanging.port, { timeout: 200 });
  expect(await ask(slow.port)).toEqual({ status: 200, body: "main" });
  expect(slow.proxy.mirrorCounts("shadow")?.active).toBe(1);
  await expect.poll(() => slow.proxy.mirrorCounts("shadow")).toMatchObject({ active: 0, failed: 1 });

  const endless = await rawDestination((_, socket) => {
    socket.write("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n");
    const more = (): void => {
      if (socket.writable) socket.write(Buffer.alloc(65_536), () => setImmediate(more));
    };
    more();
  });
  closers.push(() => endless.close());
  const large = await mirroring(main, endless.port);
  expect(await ask(large.port)).toEqual({ status: 200, body: "main" });
  await expect.poll(() => large.proxy.mirrorCounts("shadow")).toMatchObject({ active: 0, sent: 1, failed: 0 });
  await expect.poll(() => endless.sockets.size).toBe(0);
});

test("no more copies are under way than the bound allows, and none are left when the proxy closes", async () => {
  const hanging = await rawDestination(() => {});
  closers.push(() => hanging.close());
  const { port, proxy, log } = await mirroring((await destination("main", [])).port, hanging.port, { maxConcurrent: 2 });
  for (let i = 0; i < 5; i++) expect((await ask(port)).body).toBe("main");
  expect(proxy.mirrorCounts("shadow")).toEqual({ active: 2, sent: 2, failed: 0, skipped: 3 });
  expect(log.named("mirror-skipped").map(({ fields }) => fields["reason"])).toEqual(["concurrency", "concurrency", "concurrency"]);
  const cluster = proxy.state.cluster("shadow");
  expect(cluster?.inFlight).toBe(2);
  await proxy.close();
  await expect.poll(() => [proxy.mirrorCounts("shadow")?.active, cluster?.inFlight]).toEqual([0, 0]);
});

test("a request that was not forwarded is not copied, nor one whose body broke off, nor an upgrade", async () => {
  const shadow: Seen[] = [];
  const { port, proxy } = await mirroring((await destination("main", [])).port, (await destination("shadow", shadow)).port);
  await proxy.drain("main", "d");
  expect((await ask(port)).status).toBe(503);
  expect((await ask(port, { method: "POST" }, ["data"])).status).toBe(503);
  proxy.undrain("main", "d");
  const broken = send({ port, host: "127.0.0.1", method: "POST", headers: { "Content-Length": "100" } });
  broken.on("error", () => {});
  broken.write("part");
  await expect.poll(() => proxy.state.cluster("main")?.inFlight).toBe(1);
  broken.destroy();
  await expect.poll(() => proxy.state.cluster("main")?.inFlight).toBe(0);
  await ask(port, { headers: { Connection: "Upgrade", Upgrade: "other" } });
  expect(proxy.mirrorCounts("shadow")).toMatchObject({ sent: 0 });
});
