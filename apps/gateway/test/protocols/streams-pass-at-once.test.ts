/** Nothing of a stream is held back on its way, in either direction, whatever versions of HTTP are spoken on both sides. */
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { afterEach, describe, test } from "vitest";
import { openFrontDoors, type FrontDoors } from "../support/front-doors.ts";

/** Who reads an answer piece by piece, and may write meanwhile. */
interface Caller {
  write(piece: string): void;
  end(): void;
  /** Resolves when what came of the body so far ends with `text`; rejects when the answer ends before. */
  reads(text: string): Promise<void>;
  /** Resolves when the body is over, cleanly. */
  readonly over: Promise<void>;
}

const closing: (() => void)[] = [];
/** At the end of a test: its gateway is waited for, and waits for its clients. */
function hangUp(): void {
  for (const close of closing.splice(0)) close();
}
afterEach(hangUp);

/** `decode`: what the text so far says of the body. */
function caller(stream: Duplex, encode: (piece: string) => string, last: string, decode: (text: string) => { body: string; over: boolean }): Caller {
  let text = "";
  const watchers = new Set<() => void>();
  const look = (): void => {
    for (const watcher of watchers) watcher();
  };
  stream.setEncoding("latin1").on("data", (more: string) => {
    text += more;
    look();
  });
  stream.on("close", look).on("error", () => {});
  const until = (done: () => boolean): Promise<void> =>
    new Promise((resolve, reject) => {
      const watcher = (): void => {
        if (done()) resolve();
        else if (stream.destroyed) reject(new Error(`the answer ended: ${text}`));
        else return;
        watchers.delete(watcher);
      };
      watchers.add(watcher);
      watcher();
    });
  return {
    write: (piece) => void stream.write(encode(piece), "latin1"),
    end: () => void (last === "" ? stream.end() : stream.write(last)),
    reads: (piece) => until(() => decode(text).body.endsWith(piece)),
    get over() {
      return until(() => decode(text).over || (stream.readableEnded && last === ""));
    },
  };
}

const chunk = (piece: string): string => `${piece.length.toString(16)}\r\n${piece}\r\n`;

function decodeChunks(text: string): { body: string; over: boolean } {
  let at = text.indexOf("\r\n\r\n") + 4;
  let body = "";
  while (at > 3) {
    const end = text.indexOf("\r\n", at);
    const size = Number.parseInt(text.slice(at, end), 16);
    if (end < 0) break;
    if (size === 0) return { body, over: text.endsWith("\r\n\r\n") };
    body += text.slice(end + 2, end + 2 + size);
    at = end + 2 + size + 2;
  }
  return { body, over: false };
}

const callers = {
  "HTTP/1.1": async (doors: FrontDoors, path: string, method: string): Promise<Caller> => {
    const socket: Socket = connect(doors.plain, "127.0.0.1");
    closing.push(() => socket.destroy());
    await once(socket, "connect");
    socket.write(`${method} ${path} HTTP/1.1\r\nHost: shop.test\r\n${method === "POST" ? "Transfer-Encoding: chunked\r\n" : ""}\r\n`);
    return caller(socket, chunk, "0\r\n\r\n", decodeChunks);
  },
  "HTTP/2": async (doors: FrontDoors, path: string, method: string): Promise<Caller> => {
    const session = connectHttp2(`http://127.0.0.1:${doors.prior}`);
    closing.push(() => session.destroy());
    await once(session, "connect");
    const stream = session.request({ ":path": path, ":method": method }, { endStream: method === "GET" });
    return caller(stream, (piece) => piece, "", (body) => ({ body, over: false }));
  },
};

const ways = (Object.keys(callers) as (keyof typeof callers)[]).flatMap((from) => ["h1", "h2"].map((to) => [from, to] as const));

describe.each(ways)("from %s to %s", (from, to) => {
  test("each event reaches the client before the next one is sent", async () => {
    let response: ServerResponse | undefined;
    const asked = Promise.withResolvers<void>();
    await using doors = await openFrontDoors({
      handler(_request, sink) {
        response = sink;
        sink.writeHead(200, { "content-type": "text/event-stream" });
        sink.write("data: 0\n\n");
        asked.resolve();
      },
    });
    const client = await callers[from](doors, `/${to}/events`, "GET");
    await asked.promise;
    for (let i = 0; i < 5; i++) {
      await client.reads(`data: ${i}\n\n`);
      response?.write(`data: ${i + 1}\n\n`);
    }
    response?.end();
    await client.over;
    hangUp();
  });

  test("request and response go on at the same time: each piece comes back before the next one is sent", async () => {
    const echo = (request: IncomingMessage, response: ServerResponse): void => {
      response.writeHead(200, { "content-type": "application/octet-stream" });
      response.flushHeaders();
      request.on("data", (piece: Buffer) => response.write(piece));
      request.on("end", () => response.end());
    };
    await using doors = await openFrontDoors({ handler: echo });
    const client = await callers[from](doors, `/${to}/echo`, "POST");
    for (const piece of ["one", "two", "three", "x".repeat(20_000)]) {
      client.write(piece);
      await client.reads(piece);
    }
    client.end();
    await client.over;
    hangUp();
  });
});
