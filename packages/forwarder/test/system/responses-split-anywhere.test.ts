import { connect } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { createEngineClient, createEngineServer, type FrontServer, type HttpClient } from "@proxy/http";
// @boundaries-ignore the raw destination lives with the client that it was written for
import { RawDestination } from "../../../http/test/engine-client/raw-destination.ts";
import { forward, type Transformer } from "../../src/index.ts";

/** What of these tests is not there any more when they are over. */
const closing: (() => Promise<unknown> | void)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const lastPath = "/last";
const lastResponse = "HTTP/1.1 200 OK\r\nDate: -\r\nContent-Length: 4\r\n\r\nlast";

interface Bench {
  /** Where the destination cuts its next response. */
  cut: number;
  readonly port: number;
}

/** Behind the final head: an interim one has no length. */
function endOfHead(response: string): number {
  return response.indexOf("\r\n\r\n", response.search(/HTTP\/1\.. [2-5]/u)) + 4;
}

/** Engine, forwarder, engine's client, and a destination that sends `response` in two parts, and as it is to who asks for the last one. */
async function bench(response: string, thenCloses: boolean, transformer: Transformer | undefined): Promise<Bench> {
  const seen = new WeakMap<object, number>();
  const destination = await RawDestination.start((socket, received) => {
    const heads = received.split("\r\n\r\n").slice(0, -1);
    for (const head of heads.slice(seen.get(socket) ?? 0)) {
      if (head.includes(` ${lastPath} `)) {
        socket.write(lastResponse, "latin1");
        continue;
      }
      const text = head.startsWith("HEAD ") ? response.slice(0, endOfHead(response)) : response;
      const cut = Math.min(state.cut, text.length);
      if (cut > 0) socket.write(text.slice(0, cut), "latin1");
      // Two turns: by then the first part was read.
      const rest = (): void => void (thenCloses ? socket.end(text.slice(cut), "latin1") : socket.write(text.slice(cut), "latin1"));
      if (cut === 0) rest();
      else setImmediate(() => setImmediate(rest));
    }
    seen.set(socket, heads.length);
  });
  const client: HttpClient = createEngineClient();
  const server: FrontServer = createEngineServer({
    handler: async (exchange) => void (await forward(exchange, `http://127.0.0.1:${destination.port}`, client, { transformer })),
  });
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  closing.push(() => destination.stop(), () => client.destroy(), () => server.close(0));
  const state = { cut: 0, port };
  return state;
}

/** All that a client gets that sends `requests` at once, until the connection ends. */
function got(port: number, requests: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: false });
    socket.setEncoding("latin1");
    socket.on("data", (part: string) => (text += part));
    socket.on("error", reject);
    socket.on("close", () => resolve(text));
    socket.write(requests, "latin1");
  });
}

const last = `GET ${lastPath} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`;
const clients: readonly (readonly [title: string, requests: string])[] = [
  ["pipelined GETs", `GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n${last}`],
  ["a HEAD before a GET", `HEAD / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n${last}`],
  ["Connection: close", "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"],
  ["HTTP/1.0", "GET / HTTP/1.0\r\n\r\n"],
  ["HTTP/1.0 kept alive", `GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n${last}`],
  ["an upload", `PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n${last}`],
];

const oddBytes = "\0\t\n\r\n\r\n\x7f\x80\xc3\xa9\xff";

const date = "Date: -\r\n";
interface Case {
  readonly title: string;
  readonly text: string;
  readonly thenCloses?: boolean;
}

const responses: readonly Case[] = [
  { title: "a length", text: `HTTP/1.1 200 OK\r\n${date}Content-Length: 5\r\nX-A: \xe9\r\n\r\nhello` },
  { title: "bytes that are no text", text: `HTTP/1.1 200 OK\r\n${date}Content-Length: ${oddBytes.length}\r\n\r\n${oddBytes}` },
  { title: "nothing", text: `HTTP/1.1 404 Not Found\r\n${date}Content-Length: 0\r\n\r\n` },
  { title: "204", text: `HTTP/1.1 204 No Content\r\n${date}\r\n` },
  { title: "304 with a length", text: `HTTP/1.1 304 Not Modified\r\n${date}Content-Length: 50\r\n\r\n` },
  { title: "an interim response", text: `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\n${date}Content-Length: 2\r\n\r\nok` },
  { title: "a surplus", text: `HTTP/1.1 200 OK\r\n${date}Content-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n` },
  { title: "a length in HTTP/1.0", text: `HTTP/1.0 200 OK\r\n${date}Content-Length: 2\r\n\r\nok`, thenCloses: true },
  { title: "a destination that closes", text: `HTTP/1.1 200 OK\r\n${date}Connection: close\r\nContent-Length: 2\r\n\r\nok`, thenCloses: true },
];

const transformers: readonly (readonly [title: string, transformer: Transformer | undefined])[] = [
  ["as it is", undefined],
  ["after a wait", { response: async () => undefined }],
];

describe.each(transformers)("a response cut anywhere is the same to clients, %s", (_, transformer) => {
  test.each(responses)("$title", async ({ title, text, thenCloses = false }) => {
    const surplusAt = title === "a surplus" ? endOfHead(text) + 2 : -1;
    const state = await bench(text, thenCloses, transformer);
    const all = (): Promise<string[]> => Promise.all(clients.map(([, requests]) => got(state.port, requests)));
    const expected = await all();
    expect(expected.filter((got) => !/^HTTP\/1\.1 \d/u.test(got))).toEqual([]);
    for (state.cut = 1; state.cut < text.length; state.cut++) {
      // A surplus that comes when the next request was sent is the answer to it, for all that can be known.
      if (state.cut === surplusAt || (surplusAt > 0 && state.cut === endOfHead(text))) continue;
      expect(await all(), `cut at ${state.cut}`).toEqual(expected);
    }
  });
});
