/**
 * The other process of the tests: answers on connections that come over the socket named by its argument. `/large` is a megabyte; an upgrade to
 * `websocket` and any other is an echo. `/half` is begun and never ended.
 */
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { createEngineServer, HeaderList, type Exchange, type UpgradeFeature } from "@proxy/http";
import { WebSocketServer } from "ws";
import { createReceiver } from "../../src/receiver/index.ts";

const [path, kind] = process.argv.slice(2) as [string, string];
const large = Buffer.alloc(1_048_576, "x");

const http = createServer((request, response) => {
  let length = 0;
  request.on("data", (chunk: Buffer) => (length += chunk.length));
  request.on("end", () => {
    if (request.url === "/large") response.end(large);
    else if (request.url === "/half") response.writeHead(200, { "Content-Length": 100 }).write("half\n");
    else response.end(`${request.url} ${length}\n`);
  });
});
const sockets = new WebSocketServer({ noServer: true });
sockets.on("connection", (each) => void each.on("message", (data, isBinary) => each.send(data, { binary: isBinary })).on("error", () => undefined));
http.on("upgrade", (request, socket, head) => {
  if (request.headers.upgrade === "websocket") {
    sockets.handleUpgrade(request, socket, head, (each) => sockets.emit("connection", each, request));
    return;
  }
  socket.on("error", () => undefined);
  socket.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n");
  socket.write(head);
  socket.pipe(socket);
});

const engine = createEngineServer({
  handler(exchange) {
    const { request, body, response, features } = exchange;
    if (features.upgrade !== undefined) return echo(exchange, features.upgrade);
    const answer = (length: number): void => {
      if (request.target === "/half") {
        response.start({ status: 200, headers: HeaderList.from([["Content-Length", "100"]]) });
        response.write(Buffer.from("half\n"));
        response.flush();
      } else response.send({ status: 200, headers: new HeaderList() }, request.target === "/large" ? large : `${request.target} ${length}\n`);
    };
    if (body === undefined) return answer(0);
    let length = 0;
    body.read({ onData: (chunk) => void (length += chunk.length), onEnd: () => answer(length), onError: () => undefined });
  },
});

function echo({ request }: Exchange, upgrade: UpgradeFeature): void {
  const isWebSocket = upgrade.protocol === "websocket";
  const accept = createHash("sha1").update(`${request.headers.get("sec-websocket-key") ?? ""}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  const tunnel = upgrade.accept({ status: 101, headers: HeaderList.from([["Upgrade", upgrade.protocol], ["Sec-WebSocket-Accept", accept]]) });
  let held = Buffer.alloc(0);
  tunnel.read({
    onData(chunk) {
      if (!isWebSocket) return void tunnel.write(Buffer.from(chunk));
      held = Buffer.concat([held, chunk]);
      // Frames of less than 126 bytes, each masked (RFC 6455, 5.2).
      while (held.length >= 6 && held.length >= 6 + (held.readUInt8(1) & 0x7f)) {
        const length = held.readUInt8(1) & 0x7f;
        const mask = held.subarray(2, 6);
        const payload = Buffer.from(held.subarray(6, 6 + length).map((byte, i) => byte ^ (mask[i % 4] as number)));
        const first = held.readUInt8(0);
        held = held.subarray(6 + length);
        tunnel.write(Buffer.concat([Buffer.from([first, length]), payload]));
        if ((first & 0x0f) === 8) tunnel.end();
      }
    },
    onEnd: () => tunnel.end(),
    onError: () => undefined,
  });
}

const receiver = await createReceiver({ path, server: kind === "engine" ? engine : http });
process.on("message", () => {
  process.send?.({
    connections: receiver.connectionCount, kept: receiver.keptCount, ...receiver.counts,
    resources: process.getActiveResourcesInfo().filter((name) => name !== "TCPSocketWrap" && name !== "PipeWrap"),
  });
});
process.send?.("ready");
