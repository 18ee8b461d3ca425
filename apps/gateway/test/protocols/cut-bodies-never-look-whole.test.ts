/**
 * A body that breaks off at the destination is never a whole one for the client: each way to frame and to break it, over cleartext and
 * TLS, for clients of both versions of HTTP.
 */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { constants, connect as connectHttp2, createSecureServer, createServer as createHttp2Server, type ServerHttp2Stream } from "node:http2";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TLSSocket } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { configFolder, type ConfigFolder } from "../support/config-file.ts";
import { startGateway, type RunningGateway } from "../support/running-gateway.ts";
import { certificateFile } from "../support/tls-client.ts";

const part = "a part of the answer";

/** Of HTTP/1.1: how the answer begins, and how it breaks. */
const overHttp1: Readonly<Record<string, (socket: Socket, tcp: Socket) => void>> = {
  "length-closed": (socket) => socket.end(`HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n${part}`),
  "length-reset": (socket, tcp) => socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n${part}`, () => tcp.resetAndDestroy()),
  "chunks-closed": (socket) => socket.end(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n14\r\n${part}\r\n`),
  "chunks-reset": (socket, tcp) =>
    socket.write(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n14\r\n${part}\r\n`, () => tcp.resetAndDestroy()),
  "last-chunk-without-end": (socket) => socket.end(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n14\r\n${part}\r\n0\r\n`),
  "until-close-reset": (socket, tcp) => socket.write(`HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n${part}`, () => tcp.resetAndDestroy()),
};

const overHttp2: Readonly<Record<string, (stream: ServerHttp2Stream) => void>> = {
  "stream-failed": (stream) => {
    stream.respond({ ":status": 200 });
    stream.write(part, () => stream.destroy(new Error("no more of it")));
  },
  "stream-reset-without-error": (stream) => {
    stream.respond({ ":status": 200, "content-length": "1000" });
    stream.write(part, () => stream.close(constants.NGHTTP2_NO_ERROR));
  },
  "stream-ended-short": (stream) => {
    stream.respond({ ":status": 200, "content-length": "1000" });
    stream.end(part);
  },
  "connection-cut": (stream) => {
    stream.respond({ ":status": 200 });
    const port = stream.session?.socket.remotePort;
    stream.write(part, () => [...sockets].find((socket) => socket.remotePort === port)?.destroy());
  },
  "connection-gone-away": (stream) => {
    stream.respond({ ":status": 200 });
    stream.write(part, () => stream.session?.destroy(undefined, constants.NGHTTP2_INTERNAL_ERROR));
  },
};

const certificate = certificateFile("cert.pem");
const tls = { cert: readFileSync(certificate), key: readFileSync(certificateFile("key.pem")) };
const servers: { close(): void }[] = [];
const sockets = new Set<Socket>();
let folder: ConfigFolder;
let gateway: RunningGateway;
let plain: number;
let prior: number;

async function listening(server: Server): Promise<number> {
  servers.push(server);
  server.on("connection", (socket: Socket) => sockets.add(socket.on("error", () => {})));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

beforeAll(async () => {
  folder = await configFolder();
  const answer = (socket: Socket, tcp: Socket): void => {
    socket.on("error", () => {}).once("data", (bytes: Buffer) => {
      overHttp1[/^\w+ \/([\w-]+)/.exec(bytes.toString("latin1"))?.[1] ?? ""]?.(socket, tcp);
    });
  };
  const one = createServer((socket) => answer(socket, socket));
  const oneTls = createTlsServer(tls);
  let tcp: Socket | undefined;
  oneTls.on("connection", (socket: Socket) => (tcp = socket));
  oneTls.on("secureConnection", (socket: TLSSocket) => answer(socket, tcp as Socket));
  const two = createHttp2Server();
  const twoTls = createSecureServer(tls);
  for (const server of [two, twoTls]) {
    server.on("session", (session) => session.on("error", () => {}));
    server.on("stream", (stream: ServerHttp2Stream, headers) => {
      stream.on("error", () => {});
      overHttp2[String(headers[":path"]).slice(1)]?.(stream);
    });
  }
  const ports = { "h1": await listening(one), "h1-tls": await listening(oneTls), "h2": await listening(two as Server), "h2-tls": await listening(twoTls as Server) };
  const Clusters: Record<string, object> = {};
  const Routes: Record<string, object> = {};
  for (const [name, port] of Object.entries(ports)) {
    const Version = name.startsWith("h2") ? "2" : "1.1";
    Clusters[name] = {
      HttpClient: { DangerousAcceptAnyServerCertificate: true },
      HttpRequest: { Version, VersionPolicy: "RequestVersionExact" },
      Destinations: { d: { Address: `http${name.endsWith("tls") ? "s" : ""}://localhost:${port}/` } },
    };
    Routes[name] = { ClusterId: name, Match: { Path: `/${name}/{**rest}` }, Transforms: [{ PathRemovePrefix: `/${name}` }] };
  }
  const file = await folder.write("gateway.json", {
    Server: { Endpoints: { Plain: { Url: "http://127.0.0.1:0" }, Prior: { Url: "http://127.0.0.1:0", Protocols: "Http2" } } },
    ReverseProxy: { Routes, Clusters },
  });
  gateway = await startGateway([file], { urls: "" });
  [plain, prior] = gateway.urls.map((url) => Number(new URL(url).port)) as [number, number];
});

afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  for (const socket of sockets) socket.destroy();
  for (const server of servers) server.close();
  await folder[Symbol.asyncDispose]();
});

/** What a client of HTTP/1.1 gets: a status of the gateway's own, or a body that is told as cut. */
async function seenOverHttp1(path: string): Promise<unknown> {
  const socket = connect(plain, "127.0.0.1");
  let text = "";
  socket.setEncoding("latin1").on("error", () => {}).on("data", (more: string) => (text += more));
  socket.write(`GET ${path} HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n`);
  await new Promise((resolve) => socket.once("close", resolve));
  if (text === "") return "cut";
  const status = Number(text.slice(9, 12));
  if (status !== 200) return status;
  const length = /\r\ncontent-length: (\d+)/i.exec(text)?.[1];
  const body = text.slice(text.indexOf("\r\n\r\n") + 4);
  if (length !== undefined) return body.length < Number(length) ? "cut" : "whole";
  return /transfer-encoding: chunked/i.test(text) && !body.endsWith("0\r\n\r\n") ? "cut" : "whole";
}

async function seenOverHttp2(path: string): Promise<unknown> {
  const session = connectHttp2(`http://127.0.0.1:${prior}`);
  session.on("error", () => {});
  const stream = session.request({ ":path": path });
  let status: number | undefined;
  stream.on("error", () => {}).on("response", (headers) => (status = headers[":status"])).resume();
  await new Promise((resolve) => stream.on("close", resolve));
  session.destroy();
  if (stream.rstCode !== constants.NGHTTP2_NO_ERROR) return "cut";
  return status === 200 ? "whole" : status;
}

describe.each([["HTTP/1.1", seenOverHttp1], ["HTTP/2", seenOverHttp2]] as const)("for a client of %s", (_, ask) => {
  // Over TLS Node before 26 does not tell a reset from an end.
  const older = Number(process.versions.node.split(".")[0]) < 26;
  const paths = [
    ...["h1", "h1-tls"].flatMap((cluster) => Object.keys(overHttp1).map((way) => `/${cluster}/${way}`))
      .filter((path) => !older || path !== "/h1-tls/until-close-reset"),
    ...["h2", "h2-tls"].flatMap((cluster) => Object.keys(overHttp2).map((way) => `/${cluster}/${way}`)),
  ];
  // A body that was lost before anything of it was passed on may still be answered with an error.
  test.each(paths)("%s is cut, or an error", async (path) => {
    expect(["cut", 502]).toContain(await ask(path));
  });
});
