/** A server of HTTP/2 with a clock of the test's, and Node's client. All is closed, and looked over, after each test. */
import { type ClientHttp2Session, type ClientHttp2Stream, connect, type IncomingHttpHeaders, type OutgoingHttpHeaders } from "node:http2";
import { afterEach, expect } from "vitest";
import { createHttp2Server, type ExchangeHandler, type FrontServer, type ServerLimits } from "../../src/index.ts";
import { ManualClock } from "../contract/manual-clock.ts";

const servers: FrontServer[] = [];
const sessions: ClientHttp2Session[] = [];
afterEach(async () => {
  for (const session of sessions.splice(0)) session.destroy();
  for (const server of servers.splice(0)) {
    await server.close(200);
    expect(server.connectionCount).toBe(0);
  }
});

export interface Bench {
  readonly server: FrontServer;
  readonly port: number;
  readonly session: ClientHttp2Session;
  readonly faults: Error[];
  readonly clock: ManualClock;
}

/** Listens, and connects one client. */
export async function serve(handler: ExchangeHandler, limits?: Partial<ServerLimits>): Promise<Bench> {
  const faults: Error[] = [];
  const clock = new ManualClock();
  const server = createHttp2Server({ handler, limits, timerInterval: 5, now: clock.now, onFault: (error) => faults.push(error) });
  servers.push(server);
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  const session = connect(`http://127.0.0.1:${port}`);
  session.on("error", () => undefined);
  sessions.push(session);
  return { server, port, session, faults, clock };
}

/** One frame (RFC 9113, 4.1); its payload in hex. */
export function frame(type: number, flags: number, stream: number, hex: string): Buffer {
  const payload = Buffer.from(hex.replaceAll(" ", ""), "hex");
  const head = Buffer.from([0, 0, payload.length, type, flags, 0, 0, 0, stream]);
  return Buffer.concat([head, payload]);
}

export interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly trailers: IncomingHttpHeaders | undefined;
  readonly interim: readonly number[];
  readonly rstCode: number | undefined;
}

/** All that comes back on a stream. */
export async function answered(stream: ClientHttp2Stream): Promise<Answer> {
  const chunks: Buffer[] = [];
  const interim: number[] = [];
  let headers: IncomingHttpHeaders & { ":status"?: number | undefined } = {};
  let trailers: IncomingHttpHeaders | undefined;
  stream.on("headers", (fields) => interim.push(Number(fields[":status"])));
  stream.on("response", (fields) => (headers = fields));
  stream.on("trailers", (fields) => (trailers = fields));
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  stream.on("error", () => undefined);
  // Not `once`, which rejects with the error that a reset is here.
  await new Promise<void>((resolve) => {
    if (stream.destroyed) resolve();
    else stream.once("close", () => resolve());
  });
  return { status: headers[":status"], headers, body: Buffer.concat(chunks).toString("latin1"), trailers, interim, rstCode: stream.rstCode };
}

/** A request without a body, and all that comes back. */
export const get = (bench: Bench, headers: OutgoingHttpHeaders): Promise<Answer> => answered(bench.session.request(headers, { endStream: true }));
