import { once } from "node:events";
import { createServer, request as requestHttp1, type IncomingMessage, type ServerResponse } from "node:http";
import { connect, createServer as createHttp2Destination, type ClientHttp2Session } from "node:http2";
import type { AddressInfo, Server } from "node:net";
import type { Readable } from "node:stream";
import { createEngineServer, createHttp2Server, createVersionedClient, type FrontServer } from "@proxy/http";
import { expect } from "vitest";
import type { ConformanceCase } from "@proxy/conformance";
// @boundaries-ignore the suite lives with its interface
import { until } from "../../../http/test/contract/recorders.ts";
import { emptyTransformer, forward, type ForwarderError } from "../../src/index.ts";

const chunk = Buffer.alloc(65_536);
const largeBody = "x".repeat(100_000);

/** What a client got, and what it gave. */
export interface Answer {
  status: number;
  body: string;
  /** The body ended, and was whole. */
  whole: boolean;
  uploaded: number;
  /** Over HTTP/2: the code of the reset, 0 without one. */
  reset: number;
}

/** A client, a front server that forwards, and a destination, each speaking the version it is told, in cleartext. */
export class EndToEnd {
  readonly outcomes: (ForwarderError | undefined)[] = [];
  readonly #front: FrontServer;
  readonly #destination: Server;
  readonly #clientVersion: "1.1" | "2";
  readonly #client = createVersionedClient();
  #port = 0;
  #session: ClientHttp2Session | undefined;

  private constructor(clientVersion: "1.1" | "2", destinationVersion: "1.1" | "2", destination: Server) {
    this.#clientVersion = clientVersion;
    this.#destination = destination;
    const prefix = `http://127.0.0.1:${(destination.address() as AddressInfo).port}`;
    const options = {
      handler: async (exchange: Parameters<typeof forward>[0]): Promise<void> => {
        const version = { version: destinationVersion, versionPolicy: "RequestVersionExact" } as const;
        this.outcomes.push(await forward(exchange, prefix, this.#client, { transformer: emptyTransformer, ...version }));
      },
    };
    this.#front = clientVersion === "2" ? createHttp2Server(options) : createEngineServer(options);
  }

  static async open(
    clientVersion: "1.1" | "2",
    destinationVersion: "1.1" | "2",
    handler: (request: IncomingMessage, response: ServerResponse) => void,
  ): Promise<EndToEnd> {
    const server = (destinationVersion === "2" ? createHttp2Destination(handler as never) : createServer(handler)) as Server;
    server.on("checkContinue", handler);
    server.on("sessionError", () => undefined);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const all = new EndToEnd(clientVersion, destinationVersion, server);
    all.#port = (await all.#front.listen({ host: "127.0.0.1", port: 0 })).port;
    return all;
  }

  async close(): Promise<void> {
    this.#session?.destroy();
    this.#client.destroy();
    await this.#front.close(0);
    this.#destination.close();
  }

  /** Sends; with `bytes` a POST whose body waits for 100 (Continue). `onBody` hears of each piece of the answer. */
  send(headers: Readonly<Record<string, string | string[]>>, bytes?: number, onBody?: (received: number) => void): Promise<Answer> {
    const answer: Answer = { status: 0, body: "", whole: false, uploaded: 0, reset: 0 };
    const took = (piece: Buffer): void => {
      answer.body += piece.toString("latin1");
      onBody?.(answer.body.length);
    };
    return this.#clientVersion === "2" ? this.#sendHttp2(headers, bytes, answer, took) : this.#sendHttp1(headers, bytes, answer, took);
  }

  async #sendHttp2(headers: Readonly<Record<string, string | string[]>>, bytes: number | undefined, answer: Answer, took: (piece: Buffer) => void): Promise<Answer> {
    this.#session ??= connect(`http://127.0.0.1:${this.#port}`);
    const stream = this.#session.request({ ":method": bytes === undefined ? "GET" : "POST", ...headers });
    stream.on("error", () => undefined);
    stream.on("continue", () => upload(stream, bytes ?? 0, answer));
    stream.on("response", (fields) => {
      answer.status = fields[":status"] ?? 0;
    });
    stream.on("data", took);
    await closed(stream);
    answer.reset = stream.rstCode;
    answer.whole = stream.rstCode === 0;
    return answer;
  }

  async #sendHttp1(headers: Readonly<Record<string, string | string[]>>, bytes: number | undefined, answer: Answer, took: (piece: Buffer) => void): Promise<Answer> {
    const request = requestHttp1({ port: this.#port, host: "127.0.0.1", method: bytes === undefined ? "GET" : "POST", headers });
    request.on("error", () => undefined);
    request.on("continue", () => upload(request, bytes ?? 0, answer));
    if (bytes === undefined) request.end();
    else request.flushHeaders();
    const [response] = (await once(request, "response")) as [IncomingMessage];
    answer.status = response.statusCode ?? 0;
    response.on("error", () => undefined);
    response.on("data", took);
    await closed(response);
    answer.whole = response.complete;
    request.destroy();
    return answer;
  }
}

/** `once` would reject when an error comes first. */
function closed(stream: Readable): Promise<void> {
  return new Promise((resolve) => stream.once("close", () => resolve()));
}

function upload(to: { write(piece: Buffer): boolean; end(): void; once(event: "drain", then: () => void): unknown }, bytes: number, answer: Answer): void {
  while (answer.uploaded < bytes) {
    answer.uploaded += chunk.length;
    if (!to.write(chunk)) {
      to.once("drain", () => upload(to, bytes, answer));
      return;
    }
  }
  to.end();
}

/** Plays an end-to-end case in which one side speaks HTTP/2. */
export async function http2Scenario(item: ConformanceCase): Promise<void> {
  const { given } = item;
  const clientVersion = /2/u.test(given.proxyProtocol ?? given.clientProtocol) ? "2" : "1.1";
  const destinationVersion = /2/u.test(given.destinationProtocol ?? given.outgoingVersion ?? "") ? "2" : "1.1";
  if (given.clientSends === undefined) await cookies(item, clientVersion);
  else await expectContinue(item, clientVersion, destinationVersion);
}

async function cookies({ given, expect: expected }: ConformanceCase, clientVersion: "1.1" | "2"): Promise<void> {
  let lines: string[] = [];
  const all = await EndToEnd.open(clientVersion, "1.1", (request, response) => {
    lines = request.rawHeaders.filter((_text, index) => index % 2 === 1 && request.rawHeaders[index - 1]?.toLowerCase() === "cookie");
    response.end();
  });
  try {
    expect((await all.send({ cookie: given.clientCookies })).status).toBe(expected.status);
    expect(lines).toEqual(expected.destination.headerLines.Cookie);
  } finally {
    await all.close();
  }
}

async function expectContinue({ given, expect: expected }: ConformanceCase, clientVersion: "1.1" | "2", destinationVersion: "1.1" | "2"): Promise<void> {
  const plan = given.destination as string;
  const size: number = given.clientSends.bodyBytes;
  const cuts = expected.clientSees !== undefined;
  const payload = plan.includes("large body") ? largeBody : "answer";
  let expectation: string | undefined;
  let received = 0;
  let cut: () => void = () => undefined;
  const all = await EndToEnd.open(clientVersion, destinationVersion, (request, response) => {
    expectation = request.headers.expect;
    const answer = (): void => {
      response.writeHead(Number(/\b(\d{3})\b/u.exec(plan)?.[1]), { "content-length": payload.length * (cuts ? 2 : 1) });
      response.write(payload);
      if (!cuts) response.end();
      const { stream } = response as unknown as { stream?: { session: { destroy(): void } } };
      cut = () => (stream === undefined ? response.socket?.destroy() : stream.session.destroy());
    };
    if (!plan.startsWith("reads")) {
      answer();
      return;
    }
    response.writeContinue();
    request.on("data", (piece: Buffer) => {
      received += piece.length;
    });
    request.on("end", answer);
  });
  try {
    const headers = { expect: "100-continue", ...(given.clientSends.framing === "chunked" ? {} : { "content-length": String(size) }) };
    const answer = await all.send(headers, size, (length) => {
      if (cuts && length === payload.length) cut();
    });
    await until(() => all.outcomes.length === 1);
    const [outcome] = all.outcomes;
    expect(expectation).toBe("100-continue");
    expect([answer.uploaded, received]).toEqual([expected.clientBytesUploaded, expected.clientBytesUploaded]);
    expect(answer.whole).toBe(!cuts);
    if (cuts) {
      expect(outcome?.code).toBe("ResponseBodyDestination");
    } else {
      expect(outcome).toBeUndefined();
      expect([answer.status, answer.body]).toEqual([expected.status, payload]);
    }
  } finally {
    await all.close();
  }
}
