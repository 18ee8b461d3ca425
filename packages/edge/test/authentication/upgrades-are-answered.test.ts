import { createEngineServer, createHttp2Server, createNodeServer } from "@proxy/http";
import { createReverseProxy } from "@proxy/pipeline";
import { hash } from "node:crypto";
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
// @boundaries-ignore the doubles of the pipeline's own tests
import { rawDestination } from "../../../pipeline/test/support/raw-sockets.ts";
import { createEdgePolicies, type SchemeFactory } from "../../src/index.ts";

const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

const servers = { engine: createEngineServer, node: createNodeServer, http2: createHttp2Server } as const;

/** Knows everybody, and gives each a new cookie. */
const renewing: SchemeFactory = () => ({
  name: "renewing",
  authenticate: () => ({
    kind: "authenticated",
    identity: { scheme: "renewing", name: "ann", claims: new Map() },
    onResponse: (head) => {
      const headers = head.headers.copy();
      headers.append("Set-Cookie", "session=renewed");
      return { ...head, headers };
    },
  }),
  challenge: () => ({ kind: "none" }),
});

async function gateway(kind: keyof typeof servers): Promise<number> {
  const destination = await rawDestination((received, socket) => {
    const key = /sec-websocket-key: (\S+)/i.exec(received);
    if (key !== null) socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accepted(key[1] as string)}\r\n\r\n`);
  });
  open.push(() => destination.close());
  const proxy = await createReverseProxy({
    config: {
      routes: { r: { clusterId: "c", match: { path: "/{**rest}" }, authorizationPolicy: "Default" } },
      clusters: { c: { destinations: { d: { address: `http://127.0.0.1:${destination.port}` } } } },
    },
    extensions: [createEdgePolicies({ schemes: [renewing] })],
  });
  open.push(() => proxy.close());
  const server = servers[kind]({ handler: proxy.handle });
  open.push(() => server.close(0));
  return (await server.listen({ host: "127.0.0.1", port: 0 })).port;
}

function accepted(key: string): string {
  return hash("sha1", `${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`, "base64");
}

describe("a session that is renewed with the request for a WebSocket", () => {
  // Refresh tokens may be good once: the browser has to get those of a session from whatever request had them refreshed.
  for (const kind of ["engine", "node"] as const) {
    it(`is given to the client (${kind})`, async () => {
      const socket = connect(await gateway(kind), "127.0.0.1");
      socket.on("error", () => {});
      socket.write("GET /ws HTTP/1.1\r\nHost: site.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
      let head = "";
      for await (const chunk of socket) if ((head += String(chunk)).includes("\r\n\r\n")) break;
      expect(head).toMatch(/^HTTP\/1\.1 101 /);
      expect(head.toLowerCase()).toContain("\r\nset-cookie: session=renewed\r\n");
    });
  }

  it("is given to the client (http2)", async () => {
    const session = connectHttp2(`http://127.0.0.1:${await gateway("http2")}`);
    session.on("error", () => {});
    await once(session, "remoteSettings");
    const stream = session.request({ ":method": "CONNECT", ":protocol": "websocket", ":path": "/ws", ":scheme": "http", ":authority": "site.test", "sec-websocket-version": "13" }, { endStream: false });
    stream.on("error", () => {});
    const [head] = (await once(stream, "response")) as [Record<string, unknown>];
    expect([head[":status"], head["set-cookie"]]).toEqual([200, ["session=renewed"]]);
    session.destroy();
  });
});
