/**
 * Each error of forwarding through a whole gateway, for clients of both versions of HTTP: what the client sees, what the log says, and
 * that docs/errors.md says the same.
 */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect as connectHttp2, constants } from "node:http2";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { configFolder, type ConfigFolder } from "../support/config-file.ts";
import { startGateway, type RunningGateway } from "../support/running-gateway.ts";

interface Way {
  readonly name: string;
  readonly code: string;
  /** Where the log tells it. */
  readonly source?: "client" | "gateway" | "destination";
  /** What the client is answered; "cut" once the answer, or a tunnel, has begun; "left" when it is the one that leaves. */
  readonly client: number | "cut" | "left";
  readonly cluster: string;
  readonly method?: "POST";
  /** Of the request: sent, and then the client waits. Default: none. */
  readonly body?: string;
  /** The body is announced as longer than this. */
  readonly unfinished?: boolean;
  /** The rest of the head and the body, for HTTP/1.1. */
  readonly raw?: string;
  readonly only?: "HTTP/1.1" | "HTTP/2";
  /** The client leaves when the destination has got the request, or when the client has got a part of the answer. */
  readonly leaves?: "when asked" | "when answered";
  /** The client reads nothing. */
  readonly deaf?: boolean;
  /** Another request to the same cluster is under way. */
  readonly beside?: boolean;
}

const webSocket = "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const accepted =
  "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
/** More than any buffers on the way hold. */
const endless = Buffer.alloc(64 * 1_048_576, "x");

const started = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\na part";
const startedInChunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\na part\r\n";

/** What the destination does with a request, by the first segment of its path. */
const scripts: Readonly<Record<string, (socket: Socket) => void>> = {
  reset: (socket) => socket.resetAndDestroy(),
  close: (socket) => socket.destroy(),
  garbage: (socket) => socket.end("SMTP 220 hello\r\n\r\n"),
  control: (socket) => socket.end("HTTP/1.1 200 OK\r\nX-A: a\x01b\r\nContent-Length: 0\r\n\r\n"),
  silent: () => {},
  "cut-length": (socket) => socket.write(started, () => socket.destroy()),
  "cut-chunks": (socket) => socket.write(startedInChunks, () => socket.resetAndDestroy()),
  "broken-chunks": (socket) => socket.write(`${startedInChunks}zz\r\n`),
  part: (socket) => socket.write(startedInChunks),
  endless: (socket) => {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${endless.length}\r\n\r\n`);
    socket.write(endless);
  },
  "tunnel-silent": (socket) => socket.write(`${accepted}a part`),
  "tunnel-waiting": (socket) => socket.write(`${accepted}a part`),
  // Not at once: Node 24 takes a reset that comes together with bytes for an end.
  "tunnel-broken": (socket) => socket.once("data", () => socket.resetAndDestroy()).write(`${accepted}a part`),
  switching: (socket) => socket.end("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n"),
};

const ways: readonly Way[] = [
  { name: "nobody listens", cluster: "refusing", code: "Request", source: "destination", client: 502 },
  { name: "a name that does not exist", cluster: "unknown-name", code: "Request", source: "destination", client: 502 },
  { name: "no TLS where it is expected", cluster: "untrue-tls", code: "Request", source: "destination", client: 502 },
  { name: "a reset before the head", cluster: "reset", code: "Request", source: "destination", client: 502 },
  { name: "a close before the head", cluster: "close", code: "Request", source: "destination", client: 502 },
  { name: "silence before the head", cluster: "silent", code: "RequestTimedOut", source: "destination", client: 504 },
  { name: "the route's time ran out", cluster: "late", code: "RouteTimeout", source: "destination", client: 504 },
  { name: "the client leaves before the head", cluster: "waiting", code: "RequestCanceled", source: "client", client: "left", leaves: "when asked" },
  {
    name: "the client leaves in its body", cluster: "waiting", code: "RequestBodyCanceled", source: "client", client: "left", leaves: "when asked",
    method: "POST", body: "a part", unfinished: true,
  },
  { name: "a body that is too large", cluster: "waiting", code: "RequestBodyClient", source: "client", client: 413, method: "POST", body: "x".repeat(3000) },
  {
    name: "a body in chunks that are none", cluster: "waiting", code: "RequestBodyClient", source: "client", client: 400, method: "POST", only: "HTTP/1.1",
    raw: "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n",
  },
  {
    name: "a reset in the middle of the client's body", cluster: "reset", code: "RequestBodyDestination", source: "destination", client: 502,
    method: "POST", body: "a part", unfinished: true,
  },
  { name: "an answer that is not HTTP", cluster: "garbage", code: "ResponseHeaders", source: "destination", client: 502 },
  { name: "an answer with a control character", cluster: "control", code: "ResponseHeaders", source: "destination", client: 502 },
  { name: "an upgrade that nobody asked for", cluster: "switching", code: "ResponseHeaders", source: "destination", client: 502 },
  { name: "the client leaves in the answer", cluster: "part", code: "ResponseBodyCanceled", source: "client", client: "left", leaves: "when answered" },
  { name: "an answer shorter than announced", cluster: "cut-length", code: "ResponseBodyDestination", source: "destination", client: "cut" },
  { name: "a reset in the middle of the answer", cluster: "cut-chunks", code: "ResponseBodyDestination", source: "destination", client: "cut" },
  { name: "an answer in chunks that are none", cluster: "broken-chunks", code: "ResponseBodyDestination", source: "destination", client: "cut" },
  { name: "silence in the middle of the answer", cluster: "part", code: "ResponseBodyDestination", source: "destination", client: "cut" },
  {
    name: "a POST that wants a WebSocket", cluster: "waiting", code: "RequestCreation", source: "client", client: 400, method: "POST", only: "HTTP/1.1",
    raw: `${webSocket}Content-Length: 0\r\n\r\n`,
  },
  { name: "a client that reads nothing", cluster: "endless", code: "ResponseBodyClient", source: "client", client: "cut", deaf: true },
  { name: "silence in a tunnel", cluster: "tunnel-silent", code: "UpgradeActivityTimeout", source: "client", client: "cut", only: "HTTP/1.1", raw: `${webSocket}\r\n` },
  { name: "a reset in a tunnel", cluster: "tunnel-broken", code: "UpgradeResponseDestination", source: "destination", client: "cut", only: "HTTP/1.1", raw: `${webSocket}\r\n` },
  {
    name: "the client leaves in a tunnel", cluster: "tunnel-waiting", code: "UpgradeRequestClient", source: "client", client: "left", only: "HTTP/1.1",
    raw: `${webSocket}\r\n`, leaves: "when answered",
  },
  // Told once a second for each cluster.
  { name: "too many requests", cluster: "full", code: "Overloaded", client: 503, only: "HTTP/1.1", beside: true },
  { name: "too many requests", cluster: "full-too", code: "Overloaded", client: 503, only: "HTTP/2", beside: true },
  { name: "no destination", cluster: "empty", code: "NoAvailableDestinations", client: 503, only: "HTTP/1.1" },
  { name: "no destination", cluster: "empty-too", code: "NoAvailableDestinations", client: 503, only: "HTTP/2" },
];

/** Errors that turn on which of two things a socket tells first: doubles tell them in order, in the tests named here. */
const elsewhere: Readonly<Record<string, string>> = {
  UpgradeRequestCanceled: "tooling/conformance/data/forwarder-upgrade.json",
  UpgradeRequestDestination: "packages/forwarder/test/tunnels-fail.test.ts",
  UpgradeResponseCanceled: "tooling/conformance/data/forwarder-upgrade.json",
  UpgradeResponseClient: "tooling/conformance/data/forwarder-upgrade.json",
};

let folder: ConfigFolder;
let destination: Server;
let gateway: RunningGateway;
let plain: number;
let prior: number;
const sockets = new Set<Socket>();
/** Told by the destination when it has the head of a request. */
let asked: (() => void) | undefined;
const closing: (() => void)[] = [];

beforeAll(async () => {
  folder = await configFolder();
  destination = createServer((socket) => {
    sockets.add(socket.on("close", () => sockets.delete(socket)).on("error", () => {}));
    let text = "";
    socket.setEncoding("latin1").on("data", (more: string) => {
      // A ClientHello, which gets an answer in cleartext.
      if (more.startsWith("\x16")) {
        socket.end("HTTP/1.1 400 Bad Request\r\n\r\n");
        return;
      }
      const known = text.includes("\r\n\r\n");
      text += more;
      if (known || !text.includes("\r\n\r\n")) return;
      asked?.();
      scripts[/^\w+ \/([\w-]+)/.exec(text)?.[1] ?? ""]?.(socket);
      text = "";
    });
  });
  destination.listen(0, "127.0.0.1");
  await once(destination, "listening");
  const { port } = destination.address() as AddressInfo;
  const free = createServer().listen(0, "127.0.0.1");
  await once(free, "listening");
  const refused = (free.address() as AddressInfo).port;
  free.close();
  const addresses: Readonly<Record<string, string>> = {
    refusing: `http://127.0.0.1:${refused}/`,
    "untrue-tls": `https://127.0.0.1:${port}/`,
    // Nothing is asked of the network: no label is so long.
    "unknown-name": `http://${"x".repeat(64)}.test/`,
  };
  const Clusters: Record<string, object> = {};
  const Routes: Record<string, object> = {};
  for (const name of [...Object.keys(scripts), "refusing", "untrue-tls", "unknown-name", "full", "full-too", "empty", "empty-too", "late", "waiting"]) {
    const Address = addresses[name] ?? `http://127.0.0.1:${port}/`;
    const ActivityTimeout = ["silent", "part", "endless", "tunnel-silent"].includes(name) ? "300ms" : "5m";
    Clusters[name] = {
      HttpRequest: { ActivityTimeout },
      Destinations: name.startsWith("empty") ? {} : { d: { Address } },
      ...(name.startsWith("full") ? { CircuitBreaker: { MaxRequests: 1 } } : {}),
    };
    Routes[name] = { ClusterId: name, MaxRequestBodySize: 2000, Match: { Path: `/${name}` }, ...(name === "late" ? { Timeout: "200ms" } : {}) };
  }
  const file = await folder.write("gateway.json", {
    Server: { Endpoints: { Plain: { Url: "http://127.0.0.1:0" }, Prior: { Url: "http://127.0.0.1:0", Protocols: "Http2" } } },
    ReverseProxy: { Routes, Clusters },
  });
  gateway = await startGateway([file], { urls: "", logLevel: "Debug" });
  [plain, prior] = gateway.urls.map((url) => Number(new URL(url).port)) as [number, number];
});
afterEach(() => {
  asked = undefined;
  for (const close of closing.splice(0)) close();
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  for (const socket of sockets) socket.destroy();
  destination.close();
  await folder[Symbol.asyncDispose]();
});

/** What the log says of an error of that cluster, after so many entries. */
const newlyLogged = (before: number, cluster: string): Promise<Readonly<Record<string, unknown>>> =>
  gateway.logged((entry) => gateway.log.indexOf(entry) >= before && entry["code"] !== undefined && entry["cluster"] === cluster);

const isAsked = (): Promise<void> =>
  new Promise((resolve) => {
    asked = resolve;
  });

/** What a client of HTTP/1.1 sees until its connection is over. */
async function overHttp1(way: Way): Promise<Way["client"]> {
  const { method = "GET", body = "", unfinished = false } = way;
  const upgrades = way.raw?.startsWith("Upgrade") === true;
  const socket = connect(plain, "127.0.0.1");
  closing.push(() => socket.destroy());
  let text = "";
  const answered = Promise.withResolvers<void>();
  socket.setEncoding("latin1").on("error", () => {}).on("data", (more: string) => {
    text += more;
    if (!text.includes("a part")) return;
    answered.resolve();
    if (way.cluster === "tunnel-broken") socket.write("through the tunnel");
  });
  const closed = new Promise((resolve) => socket.once("close", resolve));
  const reached = isAsked();
  const head = `${method} /${way.cluster} HTTP/1.1\r\nHost: shop.test\r\nConnection: ${upgrades ? "Upgrade" : "close"}\r\n`;
  const framed = method === "GET" ? "\r\n" : `Content-Length: ${body.length + (unfinished ? 10 : 0)}\r\n\r\n${body}`;
  socket.write(head + (way.raw ?? framed));
  if (way.leaves !== undefined) {
    await (way.leaves === "when asked" ? reached : answered.promise);
    socket.resetAndDestroy();
    return "left";
  }
  // A gateway that has refused an upgrade goes on with the connection.
  if (typeof way.client === "number" && upgrades) await once(socket, "data");
  else if (way.deaf !== true) await closed;
  else {
    socket.pause();
    await newlyLogged(gateway.log.length, way.cluster);
    socket.resume();
    await closed;
  }
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1]);
  const end = text.indexOf("\r\n\r\n") + 4;
  const length = /\r\ncontent-length: (\d+)/i.exec(text)?.[1];
  const whole = length === undefined ? text.endsWith("0\r\n\r\n") : text.length - end === Number(length);
  if (whole) expect(length).toBe("0");
  return whole ? status : "cut";
}

/** What a client of HTTP/2 sees until its stream is over; its connection stays. */
async function overHttp2(way: Way): Promise<Way["client"]> {
  const { method = "GET", body = "", unfinished = false } = way;
  const session = connectHttp2(`http://127.0.0.1:${prior}`);
  closing.push(() => session.destroy());
  session.on("error", () => {});
  const reached = isAsked();
  const length = body.length + (unfinished ? 10 : 0);
  const fields = method === "GET" ? {} : { "content-length": String(length) };
  const stream = session.request({ ":path": `/${way.cluster}`, ":method": method, ...fields }, { endStream: method === "GET" });
  let status = 0;
  let received = 0;
  const answered = Promise.withResolvers<void>();
  stream.on("error", () => {});
  stream.on("response", (headers) => (status = Number(headers[":status"])));
  if (way.deaf === true) await newlyLogged(gateway.log.length, way.cluster);
  stream.on("data", (chunk: Buffer) => {
    received += chunk.length;
    answered.resolve();
  });
  const closed = new Promise((resolve) => stream.on("close", resolve));
  if (unfinished) stream.write(body);
  else if (method === "POST") stream.end(body);
  if (way.leaves !== undefined) {
    await (way.leaves === "when asked" ? reached : answered.promise);
    stream.close(constants.NGHTTP2_CANCEL);
    await closed;
    return "left";
  }
  await closed;
  expect(session.destroyed).toBe(false);
  if (stream.rstCode === constants.NGHTTP2_NO_ERROR) {
    expect(received).toBe(0);
    return status;
  }
  expect(stream.rstCode).toBe(constants.NGHTTP2_INTERNAL_ERROR);
  return "cut";
}

const page = readFileSync(new URL("../../../../docs/errors.md", import.meta.url), "utf8");

/** Columns of a code's row. */
function rowOf(code: string): { readonly statuses: string; readonly sources: string } {
  const row = new RegExp(`^\\| \`${code}\` \\| .* \\| (.*) \\| (.*) \\| .* \\|$`, "m").exec(page);
  return { statuses: row?.[1] ?? "", sources: row?.[2] ?? "" };
}

describe.each([
  ["HTTP/1.1", overHttp1],
  ["HTTP/2", overHttp2],
] as const)("for a client of %s", (version, ask) => {
  test.each(ways.filter(({ only = version }) => version === only))("$name: $code, $client", async (way) => {
    if (way.beside === true) {
      const socket = connect(plain, "127.0.0.1");
      closing.push(() => socket.destroy());
      const reached = isAsked();
      socket.write(`GET /${way.cluster} HTTP/1.1\r\nHost: shop.test\r\n\r\n`);
      await reached;
    }
    const before = gateway.log.length;
    expect(await ask(way)).toBe(way.client);
    const told = await newlyLogged(before, way.cluster);
    expect([told["code"], told["source"]]).toEqual([way.code, way.source]);
    // What clients do, they cannot fill the log with.
    if (way.source !== undefined) expect(told["level"]).toBe(way.source === "client" ? "debug" : "warn");
  });
});

test.each(ways)("docs/errors.md says the same of $code: $name", ({ code, source, client }) => {
  const { statuses, sources } = rowOf(code);
  if (source !== undefined) expect(sources).toContain(source);
  // A 4xx of the gateway's own is told as such.
  if (typeof client === "number") expect(statuses).toMatch(new RegExp(`${client}|${Math.floor(client / 100)}xx`));
  if (client === "cut") expect(statuses).toContain("none");
});

test("docs/errors.md has no error that neither this nor another test brings about", () => {
  const codes = Array.from(page.slice(0, page.indexOf("## Configuration issues")).matchAll(/^\| `(\w+)`/gm), ([, code]) => code as string);
  const missing = codes.filter((code) => !ways.some((way) => way.code === code));
  expect(missing.toSorted()).toEqual(Object.keys(elsewhere));
  for (const [code, file] of Object.entries(elsewhere)) {
    expect(readFileSync(new URL(`../../../../${file}`, import.meta.url), "utf8").includes(`"${code}"`), code).toBe(true);
  }
});
