import { once } from "node:events";
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants, createServer, type Http2Server, type IncomingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { createHttp2Server, type ExchangeFeatures, type HttpVersion } from "@proxy/http";
import { expect } from "vitest";
import type { ConformanceCase } from "@proxy/conformance";
// @boundaries-ignore the suite lives with its interface
import { MemoryBody } from "../../../http/test/contract/recorders.ts";
import { createHttpClient, forward, forwardWith, prepareDestination } from "../../src/index.ts";
import { FakeExchange } from "../doubles/fake-exchange.ts";
import { ScriptedClient } from "../doubles/scripted-client.ts";

type Case = Pick<ConformanceCase, "given" | "expect">;

/** HTTP/2 on both sides of a forwarding, without TLS. */
async function overHttp2(answer: (stream: ServerHttp2Stream) => void, run: (session: ClientHttp2Session) => Promise<void>): Promise<void> {
  const destination: Http2Server = createServer();
  const sessions: ServerHttp2Session[] = [];
  destination.on("session", (session) => sessions.push(session));
  destination.on("stream", (stream: ServerHttp2Stream) => {
    stream.on("error", () => undefined);
    answer(stream);
  });
  destination.listen(0, "127.0.0.1");
  await once(destination, "listening");
  const prefix = `http://127.0.0.1:${(destination.address() as AddressInfo).port}`;
  const client = createHttpClient();
  const front = createHttp2Server({
    handler: async (exchange) => void (await forward(exchange, prefix, client, { version: "2", versionPolicy: "RequestVersionExact" })),
  });
  const { port } = await front.listen({ host: "127.0.0.1", port: 0 });
  const session = connect(`http://127.0.0.1:${port}`);
  session.on("error", () => undefined);
  try {
    await run(session);
  } finally {
    session.destroy();
    await front.close(0);
    client.destroy();
    for (const one of sessions) one.destroy();
    destination.close();
    await once(destination, "close");
  }
}

interface Answer {
  readonly headers: IncomingHttpHeaders & { ":status"?: number | undefined };
  readonly trailers: IncomingHttpHeaders | undefined;
  readonly body: string;
  /** The head ended the stream. */
  readonly headOnly: boolean;
}

/** All of the response, whether the request is over or not. */
function answered(stream: ClientHttp2Stream): Promise<Answer> {
  return new Promise((resolve) => {
    let headers: IncomingHttpHeaders = {};
    let trailers: IncomingHttpHeaders | undefined;
    let headOnly = false;
    let body = "";
    stream.on("response", (fields, flags) => {
      headers = fields;
      headOnly = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    });
    stream.on("trailers", (fields) => (trailers = fields));
    stream.on("data", (chunk: Buffer) => (body += chunk.toString()));
    stream.on("error", () => undefined);
    stream.on("end", () => resolve({ headers, trailers, body, headOnly }));
  });
}

const call = { ":method": "POST", ":path": "/a.Service/Call", "content-type": "application/grpc", "te": "trailers" };

export function detect({ given, expect: expected }: Case): void {
  let lifted = false;
  let maximum: number | undefined = 1000;
  const features: ExchangeFeatures = {
    bodyRate: {
      get lifted() {
        return lifted;
      },
      lift: () => (lifted = true),
    },
    bodyLimit: { maximum, readOnly: false, set: (value) => (maximum = value) },
  };
  const exchange = new FakeExchange({
    method: "POST",
    httpVersion: given.protocol.slice("HTTP/".length) as HttpVersion,
    headers: given.contentType === null ? [] : [["content-type", given.contentType]],
    body: new MemoryBody(["message"]),
    features,
  });
  const client = new ScriptedClient();
  forwardWith(exchange, prepareDestination("https://destination.example/"), { client }, () => undefined);
  expect([lifted, maximum === undefined]).toEqual([expected.streaming, expected.streaming]);
  client.call.respond(200);
  client.call.end();
}

export const flow = ({ expect: expected }: Case): Promise<void> =>
  overHttp2((stream) => {
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end("answer");
  }, async (session) => {
    const stream = session.request(call, { endStream: false });
    stream.write("a message of many");
    const answer = await answered(stream);
    expect(answer.trailers?.["grpc-status"] === "0" && answer.body === "answer" && !stream.writableEnded).toBe(expected.clientSeesEnd);
  });

export const trailers = ({ given, expect: expected }: Case): Promise<void> =>
  overHttp2((stream) => {
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers(Object.fromEntries(given.destinationTrailers)));
    stream.end("answer");
  }, async (session) => {
    const answer = await answered(session.request(call, { endStream: true }));
    for (const [name, values] of Object.entries(expected.clientTrailers)) expect([answer.trailers?.[name]]).toEqual(values);
  });

export const trailersOnly = async ({ expect: expected }: Case): Promise<void> => {
  // Headers, then trailers without anything between: the head waits for what comes.
  const exchange = new FakeExchange({ method: "POST", httpVersion: "2", body: new MemoryBody([]) });
  const client = new ScriptedClient();
  forwardWith(exchange, prepareDestination("http://destination.example/"), { client }, () => undefined);
  client.call.respond(200, [["content-type", "application/grpc"]]);
  expect(exchange.response.started).toBe(expected.headersSentBeforeEnd);
  client.call.end([["grpc-status", "5"]]);
  expect([exchange.response.whole, exchange.response.trailers?.get("grpc-status")]).toEqual([true, "5"]);
  // All in one frame of headers: it stays one frame.
  await overHttp2((stream) => {
    stream.respond({ ":status": 200, "content-type": "application/grpc", "grpc-status": "5", "grpc-message": "gone" }, { endStream: true });
  }, async (session) => {
    const answer = await answered(session.request(call, { endStream: true }));
    expect([answer.headOnly, answer.headers["grpc-status"], answer.headers["content-length"]]).toEqual([true, "5", undefined]);
  });
};

export const uploadCancelled = ({ expect: expected }: Case): Promise<void> =>
  overHttp2((stream) => {
    stream.respond({ ":status": 200 });
    stream.end("Hello", () => stream.close(constants.NGHTTP2_NO_ERROR));
  }, async (session) => {
    const stream = session.request({ ":method": "POST", ":path": "/" }, { endStream: false });
    const chunk = Buffer.alloc(16_384);
    const more = (): void => {
      while (!stream.destroyed && !stream.closed && stream.write(chunk)) continue;
    };
    stream.on("drain", more);
    more();
    const closed = new Promise<void>((resolve) => {
      stream.on("close", () => resolve());
    });
    const answer = await answered(stream);
    expect([answer.headers[":status"], answer.body]).toEqual([expected.status, expected.body]);
    await closed;
    expect(!stream.writableFinished).toBe(expected.uploadCancelled);
  });
