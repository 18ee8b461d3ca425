import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createEngineClient, type DestinationClient, type DestinationTlsOptions, type HttpClient } from "../../src/index.ts";
import { Recorder, get, send } from "./recorder.ts";

// Self-signed for localhost and 127.0.0.1, valid to 2126; the key guards nothing but these tests.
const cert = readFileSync(new URL("../tls/cert.pem", import.meta.url), "utf8");
const key = readFileSync(new URL("../tls/key.pem", import.meta.url), "utf8");
let server: Server;
let client: HttpClient | undefined;
const sockets: TLSSocket[] = [];
let reusedSessions = 0;
const alpn: (string | false | null)[] = [];
let body = "ok";

beforeAll(async () => {
  server = createServer({ cert, key, ALPNProtocols: ["h2", "http/1.1"] }, (socket) => {
    sockets.push(socket);
    alpn.push(socket.alpnProtocol);
    if (socket.isSessionReused()) reusedSessions++;
    socket.on("error", () => undefined);
    let text = "";
    socket.on("data", (bytes: Buffer) => {
      text += bytes.toString("latin1");
      if (text.endsWith("\r\n\r\n")) socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    });
  });
  server.on("tlsClientError", () => undefined);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});

afterEach(() => {
  client?.destroy();
  body = "ok";
});

afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => {
    server.close(resolve);
  });
});

function to(host: string, tls: DestinationTlsOptions | undefined): DestinationClient {
  client = createEngineClient({ tls });
  return client.destination({ scheme: "https", host, port: (server.address() as AddressInfo).port });
}

describe("a destination over TLS", () => {
  it("is verified by name and by address, speaks http/1.1 and is used again", async () => {
    for (const host of ["localhost", "127.0.0.1"]) {
      const pool = to(host, { ca: cert });
      const before = sockets.length;
      expect((await send(pool).done).seen).toMatchObject({ outcome: "end", body: "ok" });
      expect((await send(pool).done).outcome).toBe("end");
      expect(sockets.length).toBe(before + 1);
      expect(alpn.at(-1)).toBe("http/1.1");
    }
  });

  it("is refused when nobody vouches for it", async () => {
    const { error } = await send(to("localhost", undefined)).done;
    expect(error).toMatchObject({ step: "connect", requestSent: false, timedOut: false });
    expect(error?.cause).toMatchObject({ code: "DEPTH_ZERO_SELF_SIGNED_CERT" });
  });

  it("is refused when it is somebody else", async () => {
    const { error } = await send(to("localhost", { ca: cert, serverName: "other.example" })).done;
    expect(error?.cause).toMatchObject({ code: "ERR_TLS_CERT_ALTNAME_INVALID" });
  });

  it("is taken as it is when the check is off", async () => {
    expect((await send(to("localhost", { acceptAnyCertificate: true })).done).outcome).toBe("end");
  });

  it("takes its session up again", async () => {
    const pool = to("localhost", { ca: cert });
    await send(pool).done;
    await send(pool).done;
    // Whether the client has noticed by then or not: the request goes over a new connection.
    sockets.at(-1)?.destroy();
    const before = reusedSessions;
    await send(pool).done;
    expect(reusedSessions).toBe(before + 1);
  });

  it("delivers large bodies whole, paused at every chunk", async () => {
    body = Array.from({ length: 100_000 }, (_value, index) => String(index).padStart(10, "0")).join("");
    const recorder = new Recorder();
    recorder.onChunk = () => {
      recorder.call?.pause();
      setImmediate(() => recorder.call?.resume());
    };
    await send(to("localhost", { ca: cert }), get(), recorder).done;
    expect(recorder.body === body).toBe(true);
    expect(recorder.faults).toEqual([]);
  });
});
