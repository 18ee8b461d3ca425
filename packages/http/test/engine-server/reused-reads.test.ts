import { once } from "node:events";
import { createServer, type OnReadOpts, type Socket } from "node:net";
import { PassThrough } from "node:stream";
import { TLSSocket } from "node:tls";
import { describe, expect, test } from "vitest";
import { type Exchange, HeaderList } from "../../src/index.ts";
import { findOnReadSlots, reuseReads } from "../../src/engine/server/reused-reads.ts";
import { RawClient } from "../contract/raw-client.ts";
import { signal } from "../contract/recorders.ts";
import { serve } from "./serve.ts";

const memory = Buffer.alloc(16);
const buffer = Symbol("buffer");
const callback = Symbol("callback");

describe("where a socket keeps what onread gives it", () => {
  test("is known for this version of Node: if not, requests still work and cost more", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    const accepted = once(server, "connection") as Promise<[Socket]>;
    await once(server, "listening");
    const client = await RawClient.open((server.address() as { port: number }).port);
    const [socket] = await accepted;
    const read = signal<string>();
    expect(reuseReads(socket, memory, (count) => read.resolve(memory.toString("latin1", 0, count)))).toBe(true);
    client.write("hello");
    expect(await read.promise).toBe("hello");
    client.destroy();
    socket.destroy();
    server.close();
  });

  test("is where a socket made with it differs from one made without", () => {
    const make = (onread: OnReadOpts | undefined): object => ({ state: {}, [buffer]: onread?.buffer ?? null, [callback]: onread?.callback ?? null });
    expect(findOnReadSlots(make)).toEqual({ buffer, callback });
  });

  test.each<[title: string, make: (onread: OnReadOpts | undefined) => object]>([
    ["the buffer is kept elsewhere", (onread) => ({ [callback]: onread?.callback })],
    ["the callback is kept elsewhere", (onread) => ({ [buffer]: onread?.buffer })],
    ["both are wrapped", (onread) => ({ [buffer]: { onread }, [callback]: 1 })],
    ["a third field differs", (onread) => ({ [buffer]: onread?.buffer, [callback]: onread?.callback, mode: onread === undefined ? 0 : 1 })],
    ["there is a third field", (onread) => ({ [buffer]: onread?.buffer, [callback]: onread?.callback, ...(onread && { on: true }) })],
    ["a field is missing", (onread) => ({ [buffer]: onread?.buffer, [callback]: onread?.callback, ...(onread ? {} : { off: true }) })],
  ])("is not known when %s", (_title, make) => {
    expect(findOnReadSlots(make)).toBeUndefined();
  });
});

describe("a socket is left to its data event", () => {
  const untouched = (socket: object): boolean =>
    !Object.getOwnPropertySymbols(socket).some((key) => (socket as Record<symbol, unknown>)[key] === memory);

  test("when it is a TLS socket, which may read while it writes", () => {
    const socket = new TLSSocket(new PassThrough() as unknown as Socket);
    expect([reuseReads(socket, memory, () => undefined), untouched(socket)]).toEqual([false, true]);
    socket.destroy();
  });

  test.each([["no handle", null], ["a handle of another kind", {}]])("when it has %s", (_title, handle) => {
    const socket = { _handle: handle, readableLength: 0 } as unknown as Socket;
    expect([reuseReads(socket, memory, () => undefined), untouched(socket)]).toEqual([false, true]);
  });

  test("when it holds bytes already", () => {
    const socket = { _handle: { useUserBuffer: () => undefined }, readableLength: 1 } as unknown as Socket;
    expect([reuseReads(socket, memory, () => undefined), untouched(socket)]).toEqual([false, true]);
  });
});

test("what handlers keep of bodies, heads and tunnels is never written over by what others send", async () => {
  const kept = new Map<string, Uint8Array[]>();
  const { connect } = await serve((exchange: Exchange) => {
    const { request, response, body, features } = exchange;
    const parts: Uint8Array[] = [];
    kept.set(request.path, parts);
    if (features.upgrade !== undefined) {
      const tunnel = features.upgrade.accept({ status: 101, headers: HeaderList.from([["Upgrade", "x"]]) });
      tunnel.read({ onData: (chunk) => void parts.push(chunk), onEnd: () => tunnel.end(), onError: () => undefined });
      return;
    }
    body?.read({
      onData: (chunk) => {
        // Every second reader is done with a chunk at once, and its memory serves the next.
        const isDone = (request.path.charCodeAt(1) & 2) === 0;
        parts.push(isDone ? Buffer.from(chunk) : chunk);
        return isDone;
      },
      onEnd: () => response.send({ status: 200, headers: new HeaderList() }, request.headers.get("x-mark") ?? ""),
      onError: (error) => response.abort(error),
    });
  });
  const size = 20_000;
  await Promise.all(Array.from({ length: 24 }, async (_each, index) => {
    const mark = String.fromCharCode(97 + index);
    const client = await connect();
    const bytes = mark.repeat(size);
    const text = index % 3 === 0
      ? `GET /${mark} HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n${bytes}`
      : index % 3 === 1
        ? `POST /${mark} HTTP/1.1\r\nHost: a.test\r\nX-Mark: ${mark.repeat(50)}\r\nContent-Length: ${size}\r\n\r\n${bytes}`
        : `POST /${mark} HTTP/1.1\r\nHost: a.test\r\nX-Mark: ${mark.repeat(50)}\r\nTransfer-Encoding: chunked\r\n\r\n${
          `5\r\n${mark.repeat(5)}\r\n`.repeat(size / 5)}0\r\n\r\n`;
    for (let from = 0; from < text.length; from += 37 + index * 400) await client.sent(text.slice(from, from + 37 + index * 400));
    if (index % 3 === 0) {
      client.end();
      await client.ended;
    } else expect((await client.readResponse()).body.toString()).toBe(mark.repeat(50));
  }));
  expect(kept.size).toBe(24);
  for (const [path, parts] of kept) expect(Buffer.concat(parts).toString() === (path[1] as string).repeat(size), path).toBe(true);
});
