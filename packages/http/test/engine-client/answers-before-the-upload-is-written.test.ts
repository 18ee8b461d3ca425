import { EventEmitter, once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { afterEach, describe, expect, it } from "vitest";
import { createEngineClient, type HttpClient } from "../../src/index.ts";
import { ManualClock } from "../contract/manual-clock.ts";
import { signal } from "../contract/recorders.ts";
import { get, ManualBody, send } from "./recorder.ts";

const cert = readFileSync(new URL("../tls/cert.pem", import.meta.url), "utf8");
const key = readFileSync(new URL("../tls/key.pem", import.meta.url), "utf8");
const size = 16 * 1024 * 1024;
let server: Server;
let client: HttpClient;
const sockets: Socket[] = [];

afterEach(async () => {
  client.destroy();
  for (const socket of sockets.splice(0)) socket.destroy();
  await new Promise((resolve) => {
    server.close(resolve);
  });
});

describe.each(["http", "https"] as const)("a destination over %s that answers before it has read", (scheme) => {
  async function start(onSocket: (socket: Socket) => void): Promise<void> {
    const listener = (socket: Socket): void => {
      sockets.push(socket);
      socket.on("error", () => undefined);
      onSocket(socket);
    };
    server = scheme === "http" ? createServer(listener) : createTlsServer({ cert, key }, listener);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  }

  function upload(timed: { readonly now?: () => number } = {}): { readonly done: Promise<unknown>; readonly again: () => Promise<unknown> } {
    client = createEngineClient({ tls: { ca: cert }, maxConnections: 1, timerInterval: 10, ...timed });
    const pool = client.destination({ scheme, host: "localhost", port: (server.address() as AddressInfo).port });
    const body = new ManualBody(size);
    body.onRead = () => {
      body.sink?.onData(Buffer.alloc(size, "x"));
      body.sink?.onEnd(undefined);
    };
    return { done: send(pool, { ...get(), method: "POST", body }).done, again: () => send(pool).done };
  }

  it("gets the rest of the body, and the next request on the same connection", async () => {
    let received = 0;
    await start((socket) => {
      socket.once("readable", () => {
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nearly", () => {
          socket.on("data", (bytes: Buffer) => {
            received += bytes.length;
            const text = bytes.toString("latin1");
            if (text.includes("GET ")) socket.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext");
          });
        });
      });
    });
    const { done, again } = upload();
    expect(await done).toMatchObject({ outcome: "end", body: "early" });
    // There is one connection for it: it waits until that is free.
    expect(await again()).toMatchObject({ outcome: "end", body: "next" });
    expect(received).toBeGreaterThan(size);
    expect(sockets.length).toBe(1);
  });

  it("is not left any more when it took the body, however long the next answer takes", async () => {
    const asked = signal<Socket>();
    await start((socket) => {
      let last = "";
      socket.once("readable", () => {
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nearly", () => {
          socket.on("data", (bytes: Buffer) => {
            const text = last + bytes.toString("latin1");
            last = text.slice(-3);
            if (text.includes("GET ")) asked.resolve(socket);
          });
        });
      });
    });
    const clock = new ManualClock();
    const { done, again } = upload({ now: clock.now });
    await done;
    const next = again();
    const socket = await asked.promise;
    clock.advance(60_000);
    await clock.looked();
    socket.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext");
    expect(await next).toMatchObject({ outcome: "end", body: "next" });
    expect(sockets.length).toBe(1);
  });

  it("is left when it takes no more of the body", async () => {
    await start((socket) => {
      socket.once("readable", () => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nearly"));
    });
    let time = 0;
    const looks = new EventEmitter();
    const { done } = upload({
      now: () => {
        looks.emit("look");
        return time;
      },
    });
    expect(await done).toMatchObject({ outcome: "end", body: "early" });
    const socket = sockets[0] as Socket;
    time = 10_000;
    // A clock that leaps is read twice before deadlines count; both looks are over before the body is taken.
    await once(looks, "look");
    await once(looks, "look");
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.resume();
    await closed;
    expect(socket.bytesRead).toBeLessThan(size);
  });
});
