import { once } from "node:events";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { connect } from "node:http2";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { configFolder, oneRoute } from "../support/config-file.ts";
import type { ConfigFolder } from "../support/config-file.ts";
import { startGateway } from "../support/running-gateway.ts";

let folder: ConfigFolder;
let destination: WebSocketServer;
/** Codes that the destination's side was closed with. */
let closedWith: number[];
beforeEach(async () => {
  folder = await configFolder();
  closedWith = [];
  destination = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  destination.on("connection", (socket) => {
    socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
    socket.on("close", (code) => closedWith.push(code));
  });
  await once(destination, "listening");
});
afterEach(async () => {
  for (const socket of destination.clients) socket.terminate();
  destination.close();
  await folder[Symbol.asyncDispose]();
});

/** For GET alone, which a WebSocket is in either version. */
async function configured(server: Readonly<Record<string, unknown>>): Promise<string> {
  const { port } = destination.address() as AddressInfo;
  const config = oneRoute(`http://127.0.0.1:${port}`, { Server: server }) as { ReverseProxy: { Routes: { all: { Match: object } } } };
  Object.assign(config.ReverseProxy.Routes.all.Match, { Methods: ["GET"] });
  return folder.write("gateway.json", config);
}

async function open(port: number): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/chat`, "chat");
  await once(socket, "open");
  return socket;
}

async function echo(socket: WebSocket, message: string | Buffer): Promise<Buffer> {
  socket.send(message);
  const [data] = (await once(socket, "message")) as [Buffer];
  return data;
}

describe.each(["http1", "node"])("a WebSocket, with Server:Engine %s", (engine) => {
  test("carries messages of both kinds and the code and reason of its Close", async () => {
    await using gateway = await startGateway([await configured({ Engine: engine })]);
    const socket = await open(gateway.port);
    expect((await echo(socket, "text")).toString()).toBe("text");
    expect((await echo(socket, Buffer.alloc(200_000, 7))).equals(Buffer.alloc(200_000, 7))).toBe(true);
    socket.close(4001, "enough");
    const [code, reason] = (await once(socket, "close")) as [number, Buffer];
    expect([code, reason.toString()]).toEqual([4001, "enough"]);
    expect(gateway.log.filter(({ event }) => event === "websocket-closed")).toEqual([]);
  });

  test("is told of in the log and the access log where that is asked for", async () => {
    const path = `${folder.path}/access.log`;
    const told = { closeReason: "ClientGracefulClose", closeCode: 4001, closeText: "enough", messagesRead: 2, messagesWritten: 2 };
    {
      await using gateway = await startGateway([
        await configured({ Engine: engine, WebSocketTelemetry: true, AccessLog: { Path: path, Format: "Json" } }),
      ]);
      const socket = await open(gateway.port);
      await echo(socket, "one");
      await echo(socket, "two");
      socket.close(4001, "enough");
      await once(socket, "close");
      const entry = await gateway.logged(({ event }) => event === "websocket-closed");
      expect(entry).toMatchObject({ ...told, route: "all", cluster: "c", destination: "d" });
    }
    const lines = (await readFile(path, "utf8")).trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([{ status: 101, webSocket: told }]);
  });

  test("gets a Close with 1001 when the gateway stops, and the gateway does not wait for its grace period", async () => {
    const gateway = await startGateway([await configured({ Engine: engine, ShutdownTimeout: "01:00:00" })]);
    const sockets = [await open(gateway.port), await open(gateway.port)];
    await echo(sockets[0] as WebSocket, "still here");
    const closed = sockets.map((socket) => once(socket, "close"));
    await gateway[Symbol.asyncDispose]();
    expect((await Promise.all(closed)).map(([code]) => code as number)).toEqual([1001, 1001]);
    expect(closedWith).toEqual([1001, 1001]);
  });

  test("that does not answer the Close is cut after the grace period", async () => {
    const gateway = await startGateway([await configured({ Engine: engine, ShutdownTimeout: "00:00:00.3" })]);
    const socket = await open(gateway.port);
    socket.pause();
    await gateway[Symbol.asyncDispose]();
    socket.resume();
    await once(socket, "close");
    expect(closedWith).toHaveLength(1);
  });
});

test("a WebSocket over HTTP/2 and TLS reaches a destination of HTTP/1.1, and gets a Close with 1001 when the gateway stops", async () => {
  const fixture = (name: string): string => fileURLToPath(new URL(`../../../../packages/http/test/tls/${name}`, import.meta.url));
  const endpoint = { Url: "https://127.0.0.1:0", Certificate: { Path: fixture("cert.pem"), KeyPath: fixture("key.pem") } };
  const gateway = await startGateway([await configured({ Endpoints: { Secure: endpoint }, WebSocketTelemetry: true })], { urls: "" });
  const session = connect(`https://127.0.0.1:${gateway.port}`, { ca: readFileSync(fixture("cert.pem")) });
  await once(session, "remoteSettings");
  const stream = session.request({ ":method": "CONNECT", ":protocol": "websocket", ":scheme": "https", ":path": "/chat", "sec-websocket-version": "13" }, { endStream: false });
  const [headers] = (await once(stream, "response")) as [Record<string, unknown>];
  expect([headers[":status"], headers["sec-websocket-accept"]]).toEqual([200, undefined]);
  // "hi", masked with zeros, and its echo.
  stream.write(Buffer.from("8182000000006869", "hex"));
  expect((await once(stream, "data"))[0]).toEqual(Buffer.from("81026869", "hex"));
  const stopped = gateway[Symbol.asyncDispose]();
  expect((await once(stream, "data"))[0]).toEqual(Buffer.from("880203e9", "hex"));
  stream.end(Buffer.from("88820000000003e9", "hex"));
  await stopped;
  session.destroy();
  expect(closedWith).toEqual([1001]);
  expect(gateway.log.find(({ event }) => event === "websocket-closed")).toMatchObject({ closeReason: "GatewayShutdown", messagesRead: 1, messagesWritten: 1 });
});
