import { once } from "node:events";
import { type ClientHttp2Stream, connect as connectHttp2 } from "node:http2";
import { connect as connectTls } from "node:tls";
import { afterEach, describe, expect, test } from "vitest";
import {
  ConnectionBudget, createEngineServer, createHttp2Server, createNodeServer, createTlsServer, type ExchangeHandler, type FrontServer,
  type FrontServerOptions, FrontTls, HeaderList,
} from "../src/index.ts";
import { RawClient } from "./contract/raw-client.ts";
import { BodyCollector, until } from "./contract/recorders.ts";
import { localhost } from "./tls-server/fixtures.ts";

const get = "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n";
const ask = "GET / HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\n";

const releases: (() => void | Promise<void>)[] = [];
let budget = new ConnectionBudget();

afterEach(async () => {
  for (const release of releases.splice(0).reverse()) await release();
  expect({ open: budget.open, upgraded: budget.upgraded }).toEqual({ open: 0, upgraded: 0 });
  budget = new ConnectionBudget();
});

const answer: ExchangeHandler = ({ features, response }) => {
  const { upgrade } = features;
  if (upgrade === undefined) {
    response.send({ status: 200, headers: new HeaderList() });
    return;
  }
  const tunnel = upgrade.accept({ status: upgrade.kind === "http2" ? 200 : 101, headers: new HeaderList() });
  const sink = new BodyCollector();
  tunnel.read(sink);
  sink.done.then(() => tunnel.end(), () => undefined);
};

type Make = (options: FrontServerOptions) => FrontServer;

async function serve(make: Make, limits: FrontServerOptions["limits"]): Promise<number> {
  const server = make({ handler: answer, limits, budget });
  releases.push(() => server.close(200));
  return (await server.listen({ host: "127.0.0.1", port: 0 })).port;
}

async function open(port: number): Promise<RawClient> {
  const client = await RawClient.open(port);
  releases.push(() => client.destroy());
  return client;
}

async function statusOf(client: RawClient, request: string): Promise<number> {
  client.write(request);
  return (await client.readHead()).status;
}

const makes: readonly (readonly [name: string, make: Make])[] = [
  ["engine", createEngineServer],
  ["node:http", createNodeServer],
];

describe.each(makes)("two %s servers with one budget", (_name, make) => {
  test("close the connection beyond their common limit, and a closed one frees its place", async () => {
    const ports = [await serve(make, { maxConcurrentConnections: 2 }), await serve(make, { maxConcurrentConnections: 2 })] as const;
    const first = await open(ports[0]);
    expect(await statusOf(first, get)).toBe(200);
    expect(await statusOf(await open(ports[1]), get)).toBe(200);
    for (const port of ports) await (await open(port)).closed;
    expect(budget.open).toBe(2);
    first.destroy();
    await until(() => budget.open === 1);
    expect(await statusOf(await open(ports[1]), get)).toBe(200);
    await (await open(ports[0])).closed;
  });

  test("answer 503 to the upgrade beyond their common limit, and a closed one frees its place", async () => {
    const limits = { maxConcurrentUpgradedConnections: 1 };
    const ports = [await serve(make, limits), await serve(make, limits)] as const;
    const first = await open(ports[0]);
    expect(await statusOf(first, ask)).toBe(101);
    for (const port of ports) expect(await statusOf(await open(port), ask)).toBe(503);
    expect(budget.upgraded).toBe(1);
    first.destroy();
    await until(() => budget.upgraded === 0);
    expect(await statusOf(await open(ports[1]), ask)).toBe(101);
    expect(await statusOf(await open(ports[0]), ask)).toBe(503);
  });

  test("do not count upgraded connections as open ones", async () => {
    const limits = { maxConcurrentConnections: 1 };
    const ports = [await serve(make, limits), await serve(make, limits)] as const;
    expect(await statusOf(await open(ports[0]), ask)).toBe(101);
    expect(await statusOf(await open(ports[1]), get)).toBe(200);
    expect([budget.open, budget.upgraded]).toEqual([1, 1]);
    await (await open(ports[0])).closed;
  });

  test("are limited apart with a budget each", async () => {
    const own: Make = (options) => make({ ...options, budget: undefined });
    const ports = [await serve(own, { maxConcurrentConnections: 1 }), await serve(own, { maxConcurrentConnections: 1 })] as const;
    for (const port of ports) expect(await statusOf(await open(port), get)).toBe(200);
    for (const port of ports) await (await open(port)).closed;
  });
});

describe("servers of different kinds with one budget", () => {
  test("count a TLS connection once, from before its handshake, and free its place when that fails", async () => {
    const limits = { maxConcurrentConnections: 1 };
    const secure = await serve((options) => {
      const tls = new FrontTls({ certificate: localhost, refuseUncoveredHosts: false });
      return createTlsServer({ ...options, tls });
    }, limits);
    const clear = await serve(createEngineServer, limits);

    const silent = await open(secure);
    await until(() => budget.open === 1);
    await (await open(clear)).closed;
    silent.write("this is no handshake\r\n\r\n");
    await silent.closed;
    await until(() => budget.open === 0);

    for (const protocol of ["http/1.1", "h2"]) {
      const socket = connectTls({ port: secure, host: "127.0.0.1", ALPNProtocols: [protocol], rejectUnauthorized: false });
      releases.push(() => void socket.destroy());
      await once(socket, "secureConnect");
      await (await open(clear)).closed;
      expect(budget.open).toBe(1);
      socket.destroy();
      await until(() => budget.open === 0);
    }

    const last = await open(clear);
    expect(await statusOf(last, get)).toBe(200);
    await (await open(secure)).closed;
  });

  test("count the tunnels of HTTP/2 with the upgraded connections, and free those of a lost connection", async () => {
    const limits = { maxConcurrentUpgradedConnections: 2 };
    const port = await serve(createHttp2Server, limits);
    const other = await serve(createEngineServer, limits);
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    releases.push(() => session.destroy());
    session.on("error", () => undefined);
    await once(session, "remoteSettings");
    const tunnel = (): ClientHttp2Stream => {
      const stream = session.request({ ":method": "CONNECT", ":protocol": "test", ":path": "/", ":authority": "a.test", ":scheme": "http" });
      stream.on("error", () => undefined);
      return stream;
    };
    const status = async (stream: ClientHttp2Stream): Promise<unknown> => (await once(stream, "response"))[0][":status"];
    expect(await status(tunnel())).toBe(200);
    expect(await status(tunnel())).toBe(200);
    expect(await status(tunnel())).toBe(503);
    expect(await statusOf(await open(other), ask)).toBe(503);
    session.destroy();
    await until(() => budget.upgraded === 0);
    expect(await statusOf(await open(other), ask)).toBe(101);
  });
});
