/** What the proxy's other parts do with requests that are handed over: as `docs/delegation.md` says. */
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { Agent, createServer, request, type IncomingHttpHeaders, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createUnixCarrier, Delegator } from "@proxy/delegation";
import { createReceiver, type DelegationReceiver } from "@proxy/delegation/receiver";
import { createEngineServer, type AdoptingServer } from "@proxy/http";
import { createReverseProxy, type ReverseProxy } from "@proxy/pipeline";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { configFolder } from "../support/config-file.ts";
import { startGateway } from "../support/running-gateway.ts";

type Config = Parameters<ReverseProxy["update"]>[0];
type Cluster = object;

let directory: string;
let agent: Agent;
const closers: (() => unknown)[] = [];
/** Ends answers to `/later`. */
const unfinished: (() => void)[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "delegating-"));
  // One connection: what comes back is used again.
  agent = new Agent({ keepAlive: true, maxSockets: 1 });
});
afterEach(async () => {
  agent.destroy();
  unfinished.length = 0;
  for (const close of closers.splice(0).reverse()) await close();
  await rm(directory, { recursive: true });
});

/** Answers with its name and the length of the body. */
function serverNamed(name: string): Server {
  return createServer((incoming, response) => {
    if (incoming.url === "/later") {
      response.writeHead(200, { "Content-Length": 12 }).write("begun\n");
      unfinished.push(() => response.end("ended\n"));
      return;
    }
    let length = 0;
    incoming.on("data", (chunk: Buffer) => (length += chunk.length)).on("end", () => response.end(`${name} ${length}`));
  });
}

async function receiver(name: string): Promise<{ metadata: Record<string, string>; receiver: DelegationReceiver }> {
  const path = join(directory, `${name}.sock`);
  const made = await createReceiver({ path, server: serverNamed(name) });
  closers.push(() => made.close());
  return { metadata: { DelegationSocket: path }, receiver: made };
}

/** The address of a server that is forwarded to. */
async function forwarded(name: string): Promise<string> {
  const server = serverNamed(name).listen(0, "127.0.0.1");
  await once(server, "listening");
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

function config(cluster: Cluster, route: object = {}): Config {
  return { routes: { r: { clusterId: "c", match: { path: "{**all}" }, ...route } }, clusters: { c: cluster } } as Config;
}

interface Started {
  readonly port: number;
  readonly proxy: ReverseProxy;
  readonly server: AdoptingServer;
  readonly delegator: Delegator;
  readonly events: { readonly level: string; readonly name: string; readonly fields: Readonly<Record<string, unknown>> }[];
}

async function start(given: Config): Promise<Started> {
  const delegator = new Delegator({ carriers: [createUnixCarrier()] });
  const events: Started["events"] = [];
  const proxy = await createReverseProxy({ config: given, delegator, logger: { event: (level, name, fields) => void events.push({ level, name, fields }) } });
  const server = createEngineServer({ handler: proxy.handle });
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  closers.push(() => proxy.close(), () => server.close(0));
  return { port, proxy, server, delegator, events };
}

async function ask(port: number, path = "/", options: { headers?: Record<string, string>; body?: string } = {}): Promise<{ text: string; status: number | undefined; headers: IncomingHttpHeaders }> {
  const { headers, body } = options;
  const sent = request({ host: "127.0.0.1", port, path, agent, headers, method: body === undefined ? "GET" : "POST" });
  sent.end(body);
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  return { text: await textOf(response), status: response.statusCode, headers: response.headers };
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of response) text += String(chunk);
  return text;
}

describe("requests that are handed over", () => {
  it("take turns with forwarded ones, on one connection", async () => {
    const one = await receiver("one");
    const { port, server, proxy } = await start(config({
      loadBalancingPolicy: "RoundRobin",
      destinations: { a: { address: "http://one/", metadata: one.metadata }, b: { address: await forwarded("two") } },
    }));
    const texts: string[] = [];
    for (let i = 0; i < 20; i++) texts.push((await ask(port, "/", i % 4 < 2 ? {} : { body: "abc" })).text);
    expect(new Set(texts.filter((_text, i) => i % 2 === 0)).size).toBe(2);
    expect(texts.filter((text) => text.startsWith("one"))).toHaveLength(10);
    for (let i = 2; i < 20; i++) expect(texts[i]!.slice(0, 3)).toBe(texts[i - 2]!.slice(0, 3));
    expect([one.receiver.counts.received, one.receiver.keptCount, server.connectionCount]).toEqual([10, 1, 1]);
    for (const destination of proxy.state.cluster("c")!.destinations.all) expect(destination.inFlight).toBe(0);
  });

  it("go where the key of their session says, and set none", async () => {
    const cluster = { loadBalancingPolicy: "RoundRobin", sessionAffinity: { enabled: true, policy: "HashCookie", affinityKeyName: "k" } };
    const { port, proxy } = await start(config({ ...cluster, destinations: { a: { address: await forwarded("a") }, b: { address: await forwarded("b") } } }));
    const cookies = new Map<string, string>();
    for (let i = 0; i < 2; i++) {
      const { text, headers } = await ask(port);
      cookies.set(text, headers["set-cookie"]![0]!.split(";")[0]!);
    }
    expect([...cookies.keys()].sort()).toEqual(["a 0", "b 0"]);
    const [a, b] = [await receiver("a"), await receiver("b")];
    await proxy.update(config({ ...cluster, destinations: { a: { address: "http://a/", metadata: a.metadata }, b: { address: "http://b/", metadata: b.metadata } } }));
    for (let i = 0; i < 3; i++) {
      for (const [text, cookie] of cookies) expect((await ask(port, "/", { headers: { cookie } })).text).toBe(text);
    }
    expect((await ask(port)).headers["set-cookie"]).toBeUndefined();
  });

  it("are under way for balancing and limits until they are taken, and are counted", async () => {
    const one = await receiver("one");
    const { port, proxy, delegator, events } = await start(config({ circuitBreaker: { maxRequests: 1 }, destinations: { a: { address: "http://one/", metadata: one.metadata } } }));
    const responses: IncomingMessage[] = [];
    for (let i = 0; i < 2; i++) {
      const sent = request({ host: "127.0.0.1", port, path: "/later", agent: false }).end();
      const [response] = (await once(sent, "response")) as [IncomingMessage];
      responses.push(response);
    }
    const state = proxy.state.cluster("c")!;
    const [destination] = state.destinations.all;
    expect([state.inFlight, destination!.inFlight, delegator.counts(destination!)]).toEqual([0, 0, { delegated: 2, failed: 0, retried: 0 }]);
    expect(events.filter(({ name }) => name === "request-delegated")).toMatchObject(
      [1, 2].map(() => ({ level: "debug", fields: { route: "r", cluster: "c", destination: "a" } })),
    );
    for (const end of unfinished) end();
    for (const response of responses) expect(await textOf(response)).toBe("begun\nended\n");
  });

  it("have no limit of their body here: that is the target's", async () => {
    const one = await receiver("one");
    const limited = { maxRequestBodySize: 5 };
    const { port, proxy } = await start(config({ destinations: { a: { address: "http://one/", metadata: one.metadata } } }, limited));
    expect((await ask(port, "/", { body: "0123456789" })).text).toBe("one 10");
    await proxy.update(config({ destinations: { a: { address: await forwarded("two") } } }, limited));
    expect((await ask(port, "/", { body: "0123456789" })).status).toBe(413);
  });

  it("are not recalled by the time-out of their route, once they were taken", async () => {
    const one = await receiver("one");
    const { port, events } = await start(config({ destinations: { a: { address: "http://one/", metadata: one.metadata } } }, { timeout: 50 }));
    const sent = request({ host: "127.0.0.1", port, path: "/later", agent }).end();
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    const slow = createServer(() => undefined).listen(0, "127.0.0.1");
    await once(slow, "listening");
    // A forwarded request with the same time has its 504 meanwhile.
    const { port: other } = await start(config({ destinations: { a: { address: `http://127.0.0.1:${(slow.address() as AddressInfo).port}/` } } }, { timeout: 50 }));
    const late = request({ host: "127.0.0.1", port: other, agent: false }).end();
    const [refused] = (await once(late, "response")) as [IncomingMessage];
    expect(refused.statusCode).toBe(504);
    refused.resume();
    slow.closeAllConnections();
    slow.close();
    for (const end of unfinished) end();
    expect([response.statusCode, await textOf(response)]).toEqual([200, "begun\nended\n"]);
    expect(events.filter(({ level }) => level === "warning" || level === "error")).toEqual([]);
  });

  it("go to no destination whose probes fail: those are sent to its Health over HTTP", async () => {
    const [one, two] = [await receiver("one"), await receiver("two")];
    let healthy = true;
    const probed: (string | undefined)[] = [];
    const health = createServer((incoming, response) => {
      probed.push(incoming.url);
      response.writeHead(healthy ? 200 : 503).end();
    }).listen(0, "127.0.0.1");
    await once(health, "listening");
    closers.push(() => {
      health.closeAllConnections();
      health.close();
    });
    const { port, proxy } = await start(config({
      loadBalancingPolicy: "RoundRobin",
      healthCheck: { active: { enabled: true, interval: 20, timeout: 5000, policy: "ConsecutiveFailures", path: "/alive" } },
      metadata: { "ConsecutiveFailuresHealthPolicy.Threshold": "1" },
      destinations: {
        a: { address: "http://one/", health: `http://127.0.0.1:${(health.address() as AddressInfo).port}/`, metadata: one.metadata },
        b: { address: "http://two/", health: await forwarded("probe"), metadata: two.metadata },
      },
    }));
    const of = (id: string) => proxy.state.cluster("c")!.destinations.all.find((each) => each.id === id)!;
    await expect.poll(() => [of("a").activeHealth, of("b").activeHealth], { timeout: 20_000 }).toEqual(["Healthy", "Healthy"]);
    const texts = new Set<string>();
    for (let i = 0; i < 4; i++) texts.add((await ask(port)).text);
    expect(texts).toEqual(new Set(["one 0", "two 0"]));
    healthy = false;
    await expect.poll(() => of("a").activeHealth, { timeout: 20_000 }).toBe("Unhealthy");
    for (let i = 0; i < 4; i++) expect((await ask(port)).text).toBe("two 0");
    healthy = true;
    await expect.poll(() => of("a").activeHealth, { timeout: 20_000 }).toBe("Healthy");
    expect(new Set(probed)).toEqual(new Set(["/alive"]));
    // A probe is a request to `Health`: none came by hand-over.
    expect(one.receiver.counts.received + two.receiver.counts.received).toBe(8);
  });

  it("are tried once, whatever is said of retries", async () => {
    const metadata = { DelegationSocket: join(directory, "nobody.sock") };
    const { port, events } = await start(config({ retry: { maxAttempts: 3 }, destinations: { a: { address: "http://a/", metadata }, b: { address: "http://b/", metadata } } }));
    expect(await ask(port)).toMatchObject({ status: 503, text: "" });
    expect(events.filter(({ name }) => name === "delegation-failed")).toMatchObject([{ level: "warning", fields: { reason: "not-attached", error: { code: "NOT_FOUND" } } }]);
    const one = await receiver("nobody");
    expect((await ask(port, "/", { body: "abc" })).text).toBe("nobody 3");
    expect(one.receiver.counts.received).toBe(1);
  });

  it("are answered to their end when their cluster goes, and their connection ends then", async () => {
    const one = await receiver("one");
    const { port, proxy, delegator, server } = await start(config({ destinations: { a: { address: "http://one/", metadata: one.metadata } } }));
    const sent = request({ host: "127.0.0.1", port, path: "/later", agent }).end();
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    let text = "";
    response.on("data", (chunk: Buffer) => (text += String(chunk)));
    await once(response, "data");
    await proxy.update({ routes: {}, clusters: {} });
    expect(delegator.rules).toEqual([]);
    const closed = once(sent.socket!, "close");
    for (const end of unfinished) end();
    await once(response, "end");
    expect(text).toBe("begun\nended\n");
    await closed;
    expect((await ask(port)).status).toBe(404);
    expect([one.receiver.counts.received, server.connectionCount]).toEqual([1, 1]);
  });
});

describe("the access log of a gateway", () => {
  it("names who was given a request, without a status, and why one was refused", async () => {
    await using folder = await configFolder();
    const one = await receiver("one");
    const path = `${folder.path}/access.log`;
    const file = await folder.write("gateway.json", {
      Server: { AccessLog: { Path: path, Format: "Json" } },
      ReverseProxy: {
        Routes: {
          there: { ClusterId: "there", Match: { Path: "/there" } },
          missing: { ClusterId: "missing", Match: { Path: "/missing" } },
        },
        Clusters: {
          there: { Destinations: { d: { Address: "http://there/", Metadata: one.metadata } } },
          missing: { Destinations: { d: { Address: "http://missing/", Metadata: { DelegationSocket: join(directory, "missing.sock") } } } },
        },
      },
    });
    {
      await using gateway = await startGateway([file]);
      expect((await ask(gateway.port, "/there")).text).toBe("one 0");
      expect((await ask(gateway.port, "/missing")).status).toBe(503);
      expect((await ask(gateway.port, "/there")).text).toBe("one 0");
      agent.destroy();
    }
    const lines = (await readFile(path, "latin1")).trimEnd().split("\n").map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines).toMatchObject([
      { target: "/there", route: "there", cluster: "there", destination: "d", remoteAddress: "127.0.0.1" },
      { target: "/missing", route: "missing", destination: "d", status: 503, error: "NoAvailableDestinations" },
      { target: "/there", destination: "d" },
    ]);
    expect([lines[0]?.["status"], lines[0]?.["error"]]).toEqual([undefined, undefined]);
  });
});
