import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { afterEach, describe, expect, it } from "vitest";
import {
  ConnectionBudget,
  createEngineServer,
  createHttp2Server,
  createNodeServer,
  createTlsServer,
  type ExchangeHandler,
  type FrontServer,
  type FrontServerOptions,
  FrontTls,
  HeaderList,
} from "../../src/index.ts";
import { until } from "../contract/recorders.ts";
import { localhost } from "../tls-server/fixtures.ts";
import { binary, ipv6, summed } from "./headers.ts";

const servers: FrontServer[] = [];
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) await server.close(500);
});

const tellAddress: ExchangeHandler = ({ connection, request, response }) => {
  const { remoteAddress, remotePort, localAddress, localPort, tls } = connection;
  response.send({ status: 200, headers: new HeaderList() }, `${remoteAddress} ${remotePort} ${localAddress} ${localPort} ${tls === undefined ? request.scheme : "tls"}`);
};

type Make = (options: FrontServerOptions) => FrontServer;
const makers: readonly [string, Make][] = [
  ["the engine", (options) => createEngineServer({ ...options, timerInterval: 10 })],
  ["the engine without reused memory", (options) => createEngineServer({ ...options, reuseReadMemory: false })],
  ["node:http", (options) => createNodeServer(options)],
];

interface Bench {
  readonly server: FrontServer;
  readonly port: number;
  readonly faults: string[];
  readonly budget: ConnectionBudget;
}

async function open(make: Make, more: Partial<FrontServerOptions> = {}): Promise<Bench> {
  const faults: string[] = [];
  const budget = new ConnectionBudget();
  const server = make({
    handler: tellAddress,
    budget,
    onFault: (error) => faults.push(error.message),
    proxyProtocol: { trusts: (address) => address === "127.0.0.1" },
    ...more,
  });
  servers.push(server);
  return { server, budget, faults, port: (await server.listen({ host: "127.0.0.1", port: 0 })).port };
}

async function dial(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  sockets.push(socket);
  socket.setNoDelay(true);
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
}

/** All that comes until the other side closes. */
async function readAll(socket: Socket): Promise<string> {
  let text = "";
  socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
  await new Promise((resolve) => socket.once("close", resolve));
  return text;
}

const request = Buffer.from("GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n");
const line = Buffer.from("PROXY TCP4 203.0.113.7 192.0.2.1 4711 443\r\n");

describe.each(makers)("%s", (_, make) => {
  it.each([
    ["a line", line, "203.0.113.7 4711 192.0.2.1 443 http"],
    ["a binary header", binary({ family: 0x21, addresses: ipv6 }), "2001:db8::7 4711 2001:db8::1 443 http"],
  ])("tells the addresses of %s, cut in two at every byte", async (_title, header, told) => {
    const { port } = await open(make);
    const whole = Buffer.concat([header, request]);
    const cuts = Array.from({ length: header.length + 4 }, (_each, index) => index + 1);
    const answers = await Promise.all(
      cuts.map(async (cut) => {
        const socket = await dial(port);
        const answer = readAll(socket);
        socket.write(whole.subarray(0, cut), () => setImmediate(() => socket.write(whole.subarray(cut))));
        return answer;
      }),
    );
    for (const answer of answers) expect(answer).toMatch(new RegExp(`^HTTP/1.1 200 [^]*${told}$`));
  });

  it("serves byte by byte, and several requests on one connection", async () => {
    const { port } = await open(make);
    const socket = await dial(port);
    const answer = readAll(socket);
    const keep = Buffer.from("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
    for (const byte of Buffer.concat([summed(), keep, request])) {
      socket.write(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await answer).match(/203\.0\.113\.7 4711/g)).toHaveLength(2);
  });

  it("tells its own addresses where the header has none", async () => {
    const { port } = await open(make);
    for (const header of [Buffer.from("PROXY UNKNOWN\r\n"), binary({ command: 0x20, family: 0, addresses: Buffer.alloc(0) })]) {
      const socket = await dial(port);
      socket.write(Buffer.concat([header, request]));
      expect(await readAll(socket)).toContain(`127.0.0.1 ${String(socket.localPort ?? "")}`);
    }
    const socket = await dial(port);
    socket.write(Buffer.concat([binary({ family: 0x31, addresses: Buffer.alloc(216) }), request]));
    expect(await readAll(socket)).toContain("undefined undefined undefined undefined");
  });

  it("closes what does not begin with a header, without an answer", async () => {
    const { server, port, faults, budget } = await open(make);
    for (const bytes of [request, Buffer.from("PROXY TCP4 1.2.3.4\r\n")]) {
      const socket = await dial(port);
      socket.write(bytes);
      expect(await readAll(socket)).toBe("");
    }
    const ended = await dial(port);
    ended.end("PROXY TCP4 ");
    expect(await readAll(ended)).toBe("");
    expect(faults).toHaveLength(3);
    await until(() => server.connectionCount === 0 && budget.open === 0);
  });

  it("closes connections of peers that may not speak for others", async () => {
    const { port, faults, budget } = await open(make, { proxyProtocol: { trusts: () => false } });
    const socket = await dial(port);
    socket.write(Buffer.concat([line, request]));
    expect(await readAll(socket)).toBe("");
    expect([faults, budget.open]).toEqual([["the peer is no trusted proxy"], 0]);
  });

  it("closes a connection whose header does not come in time", async () => {
    const { server, port, faults, budget } = await open(make, { proxyProtocol: { trusts: () => true, timeout: 20 } });
    const socket = await dial(port);
    socket.write("PROXY ");
    expect(await readAll(socket)).toBe("");
    expect(faults).toEqual(["the PROXY header did not come in time"]);
    await until(() => server.connectionCount === 0 && budget.open === 0);
  });

  it("counts connections that wait, and closes them when it closes", async () => {
    const { server, port, budget } = await open(make, { limits: { maxConcurrentConnections: 2 } });
    const waiting = [await dial(port), await dial(port)];
    await until(() => budget.open === 2);
    expect(server.connectionCount).toBe(2);
    expect(await readAll(await dial(port))).toBe("");
    await server.close(500);
    await Promise.all(waiting.map((socket) => socket.destroyed || new Promise((resolve) => socket.once("close", resolve))));
    expect([server.connectionCount, budget.open]).toEqual([0, 0]);
  });
});

describe("TLS after the header", () => {
  const make: Make = (options) => createTlsServer({ ...options, tls: new FrontTls({ certificate: localhost, refuseUncoveredHosts: false }), timerInterval: 10 });

  async function dialTls(port: number, header: Buffer, cut: number): Promise<TLSSocket> {
    const raw = await dial(port);
    raw.write(header.subarray(0, cut));
    await new Promise((resolve) => setImmediate(resolve));
    raw.write(header.subarray(cut));
    const socket = connectTls({ socket: raw, ALPNProtocols: ["http/1.1"], rejectUnauthorized: false });
    socket.on("error", () => {});
    await once(socket, "secureConnect");
    return socket;
  }

  it("tells the addresses, cut anywhere", async () => {
    const { server, port, budget } = await open(make);
    for (const cut of [0, 1, 6, 20, line.length]) {
      const socket = await dialTls(port, line, cut);
      socket.write(request);
      expect(await readAll(socket)).toContain("203.0.113.7 4711 192.0.2.1 443 tls");
    }
    await until(() => server.connectionCount === 0 && budget.open === 0);
  });

  it("has its first bytes in the same packet as the header", async () => {
    const { port } = await open(make);
    // A client that holds its hello back until the header is in front of it.
    const raw = await dial(port);
    const write = raw.write.bind(raw);
    raw.cork();
    write(summed());
    const socket = connectTls({ socket: raw, ALPNProtocols: ["http/1.1"], rejectUnauthorized: false });
    socket.on("error", () => {});
    raw.uncork();
    await once(socket, "secureConnect");
    socket.write(request);
    expect(await readAll(socket)).toContain("203.0.113.7 4711");
  });

  it("tells them to HTTP/2", async () => {
    const { port } = await open(make);
    const raw = await dial(port);
    raw.write(line);
    const session = connectHttp2("https://localhost", { createConnection: () => connectTls({ socket: raw, ALPNProtocols: ["h2"], rejectUnauthorized: false }) });
    session.on("error", () => {});
    const stream = session.request({ ":path": "/" });
    let text = "";
    stream.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    await once(stream, "end");
    expect(text).toContain("203.0.113.7 4711 192.0.2.1 443 tls");
    session.destroy();
  });

  it("is not spoken to who sends no header", async () => {
    const { server, port, faults } = await open(make);
    const raw = await dial(port);
    const socket = connectTls({ socket: raw, rejectUnauthorized: false });
    socket.on("error", () => {});
    await new Promise((resolve) => raw.once("close", resolve));
    expect(faults).toEqual(["the connection does not begin with a PROXY header"]);
    await server.close(500);
    expect(server.connectionCount).toBe(0);
  });
});

it("cleartext HTTP/2 tells the addresses", async () => {
  const { port } = await open((options) => createHttp2Server(options));
  const raw = await dial(port);
  raw.write(line);
  const session = connectHttp2("http://a.test", { createConnection: () => raw });
  session.on("error", () => {});
  const stream = session.request({ ":path": "/" });
  let text = "";
  stream.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  await once(stream, "end");
  expect(text).toContain("203.0.113.7 4711 192.0.2.1 443 http");
  session.destroy();
});
