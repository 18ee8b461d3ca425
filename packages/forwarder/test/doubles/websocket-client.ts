import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { type ClientHttp2Session, connect } from "node:http2";
import type { Socket } from "node:net";
import { webSocketAccept } from "../../src/websocket/handshake.ts";
import { WebSocketPeer } from "../websocket/peer.ts";

/** How a client's handshake ended. */
export interface Handshake {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The WebSocket, when it was opened. */
  readonly peer: WebSocketPeer | undefined;
  close(): void;
}

const usualKey = "dGhlIHNhbXBsZSBub25jZQ==";

/** Asks for a WebSocket over HTTP/1.1, and sends `early` without waiting; rejects when the answer does not belong to the key. */
export async function openOverHttp1(port: number, key = usualKey, early?: Uint8Array): Promise<Handshake> {
  const request = httpRequest({
    host: "127.0.0.1",
    port,
    path: "/chat",
    headers: { "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Key": key, "Sec-WebSocket-Version": "13" },
  });
  if (early !== undefined) request.once("socket", (socket) => socket.once("connect", () => setImmediate(() => socket.write(early))));
  request.end();
  return new Promise((resolve, reject) => {
    request.on("error", reject);
    request.on("response", (response: IncomingMessage) => {
      response.resume();
      resolve({ status: response.statusCode as number, headers: response.headers, peer: undefined, close: () => request.destroy() });
    });
    request.on("upgrade", (response: IncomingMessage, socket: Socket, head: Buffer) => {
      if (response.headers["sec-websocket-accept"] !== webSocketAccept(key)) reject(new Error("a wrong Accept"));
      if (head.length > 0) socket.unshift(head);
      const peer = new WebSocketPeer(socket, "client");
      resolve({ status: response.statusCode as number, headers: response.headers, peer, close: () => socket.destroy() });
    });
  });
}

/** Asks for a WebSocket by an extended CONNECT (RFC 8441), and sends `early` without waiting. */
export async function openOverHttp2(port: number, fields: Readonly<Record<string, string>> = {}, early?: Uint8Array): Promise<Handshake> {
  const session: ClientHttp2Session = connect(`http://127.0.0.1:${port}`);
  session.on("error", () => undefined);
  await once(session, "remoteSettings");
  const ask = { ":method": "CONNECT", ":protocol": "websocket", ":scheme": "http", ":path": "/chat", "sec-websocket-version": "13", ...fields };
  const stream = session.request(ask, { endStream: false });
  if (early !== undefined) stream.write(early);
  const [headers] = (await once(stream, "response")) as [Handshake["headers"] & { readonly ":status": number }];
  const status = headers[":status"];
  const opened = status >= 200 && status < 300;
  if (!opened) stream.on("error", () => undefined).resume();
  return { status, headers, peer: opened ? new WebSocketPeer(stream, "client") : undefined, close: () => session.destroy() };
}
