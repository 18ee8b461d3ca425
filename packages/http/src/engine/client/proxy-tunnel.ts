import { connect, type Socket } from "node:net";
import type { DestinationOrigin } from "../../destination-client.ts";
import { FieldScanner, headIncomplete } from "../head-parser.ts";
import { connectionSource, type ConnectionSource } from "./connection-source.ts";
import { StatusLine, statusLineIncomplete } from "./status-line.ts";
import { authorityOf, type WebProxy } from "./web-proxy.ts";

/** Most bytes of the proxy's answer to CONNECT, interim responses included. */
const maximumAnswer = 16_384;
const maximumFields = 100;

/**
 * Asks `proxy` for a tunnel to `origin` on `socket`, which connects to it (RFC 9110, 9.3.6):
 *
 * 1. CONNECT, with the credentials of the proxy's address;
 * 2. its answer: 2xx is the tunnel, everything else a refusal;
 * 3. what the destination sends comes next. Nothing of it may have come yet: over TLS the client speaks first.
 *
 * `ready` or `failed` is called once, unless the socket is destroyed before. Who is called owns the socket.
 */
export function openTunnel(
  socket: Socket,
  proxy: WebProxy,
  origin: DestinationOrigin,
  { ready, failed }: { readonly ready: () => void; readonly failed: (error: Error) => void },
): void {
  let answer: Buffer = Buffer.alloc(0);
  const end = (tell: () => void): void => {
    socket.off("data", onData);
    socket.off("end", onEnd);
    tell();
  };
  const onData = (bytes: Buffer): void => {
    answer = answer.length === 0 ? bytes : Buffer.concat([answer, bytes]);
    const verdict = judge(answer);
    if (verdict === "ready") end(ready);
    else if (verdict !== "more") end(() => failed(new Error(`the web proxy ${proxy.name} ${verdict}`)));
  };
  const onEnd = (): void => end(() => failed(new Error(`the web proxy ${proxy.name} closed the connection`)));
  socket.once("connect", () => {
    const authority = authorityOf(origin);
    const credentials = proxy.credentials === undefined ? "" : `Proxy-Authorization: ${proxy.credentials}\r\n`;
    socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${credentials}\r\n`, "latin1");
  });
  socket.on("data", onData);
  socket.on("end", onEnd);
}

/** Begins to connect to `proxy`. */
export function connectToProxy(proxy: WebProxy, source: ConnectionSource, keepAliveDelay: number): Socket {
  return connect({
    host: proxy.host,
    port: proxy.port,
    allowHalfOpen: true,
    autoSelectFamily: true,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: keepAliveDelay,
    ...connectionSource(source),
  });
}

/** "ready", "more", or what was wrong. */
function judge(bytes: Buffer): string {
  let from = 0;
  for (;;) {
    const line = new StatusLine();
    const fields = line.scan(bytes, from, bytes.length);
    if (fields === statusLineIncomplete) return bytes.length > maximumAnswer ? "answered too much" : "more";
    if (fields < 0) return `did not answer in HTTP: ${line.fault}`;
    const scanner = new FieldScanner();
    const end = scanner.scan(bytes, fields, bytes.length, maximumFields);
    if (end === headIncomplete) return bytes.length > maximumAnswer ? "answered too much" : "more";
    if (end < 0) return "did not answer in HTTP";
    if (line.status >= 200) {
      if (line.status >= 300) return refusal(line.status);
      return end === bytes.length ? "ready" : "sent more than its answer";
    }
    if (line.status === 101) return "switched protocols";
    from = end;
  }
}

function refusal(status: number): string {
  return status === 407 ? "wants (other) credentials: it answered 407" : `opens no tunnel: it answered ${status}`;
}
