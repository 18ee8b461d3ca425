/** How answers are put into frames and writes, and what becomes of clients that do not take them or do not go on. */
import { once } from "node:events";
import { connect, Socket } from "node:net";
import { afterEach, expect, test, vi } from "vitest";
import { createHttp2Server, type ExchangeHandler, type FrontServer, HeaderList, type ServerLimits } from "../../src/index.ts";
import { errorCode, frameType, settingId } from "../../src/engine/http2/frames.ts";
import { ManualClock } from "../contract/manual-clock.ts";
import { until } from "../contract/recorders.ts";
import { block, frame, request, whole } from "../http2-wire/frames-to-send.ts";
import { WireClient } from "../http2-wire/wire-client.ts";

const ok = { status: 200, headers: HeaderList.from([["content-type", "text/plain"]]) };
const close: (() => Promise<void>)[] = [];
afterEach(async () => {
  vi.restoreAllMocks();
  for (const one of close.splice(0)) await one();
});

interface Bench {
  readonly client: WireClient;
  readonly server: FrontServer;
  readonly faults: Error[];
  /** Lets time pass for the server, while it has a connection. */
  pass(milliseconds: number): Promise<void>;
}

async function serve(handler: ExchangeHandler, limits?: Partial<ServerLimits>, settings: readonly (readonly [number, number])[] = []): Promise<Bench> {
  const clock = new ManualClock();
  const faults: Error[] = [];
  const server = createHttp2Server({ handler, limits, timerInterval: 5, now: clock.now, onFault: (error) => faults.push(error) });
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  await once(socket, "connect");
  const client = WireClient.over(socket, { settings });
  close.push(async () => {
    client.socket.destroy();
    await server.close(100);
    expect(server.connectionCount).toBe(0);
  });
  return { client, server, faults, pass: (milliseconds) => clock.pass(milliseconds, () => server.connectionCount === 0) };
}

const typesOn = (client: WireClient, stream: number): number[] => client.frames.filter((one) => one.stream === stream).map((one) => one.type);

test("small chunks of one turn are one DATA frame, which ends the stream", async () => {
  const { client } = await serve(({ response }) => {
    response.start(ok);
    for (const text of ["a", "bc", "def"]) response.write(Buffer.from(text));
    response.end();
  });
  client.send(whole(1, request("/")));
  await until(() => client.stream(1).ended);
  expect(client.stream(1).body).toBe("abcdef");
  expect(typesOn(client, 1)).toEqual([frameType.headers, frameType.data]);
});

test("an answer without content is one HEADERS frame, also one that is ended only later in its turn", async () => {
  const { client } = await serve(({ request: { path }, response }) => {
    if (path === "/sent") {
      response.send(ok);
      return;
    }
    response.start(ok);
    response.end(path === "/trailers" ? HeaderList.from([["grpc-status", "0"]]) : undefined);
  });
  client.send(whole(1, request("/sent")), whole(3, request("/started")), whole(5, request("/trailers")));
  await until(() => [1, 3, 5].every((id) => client.stream(id).ended));
  expect([1, 3, 5].map((id) => typesOn(client, id))).toEqual([[frameType.headers], [frameType.headers], [frameType.headers, frameType.headers]]);
});

test("chunks of later turns leave on their own, without being asked to", async () => {
  let more: () => void = () => undefined;
  const { client } = await serve(({ response }) => {
    response.start(ok);
    response.write(Buffer.from("one"));
    more = () => {
      response.write(Buffer.from("two"));
      response.end();
    };
  });
  client.send(whole(1, request("/")));
  await until(() => client.stream(1).body === "one");
  more();
  await until(() => client.stream(1).ended);
  expect(typesOn(client, 1)).toEqual([frameType.headers, frameType.data, frameType.data]);
});

test("answers of many streams in one turn are one write", async () => {
  const answers: (() => void)[] = [];
  const { client } = await serve(({ response }) => void answers.push(() => response.send(ok, "x".repeat(100))));
  const ids = Array.from({ length: 50 }, (_, i) => i * 2 + 1);
  client.send(...ids.map((id) => whole(id, request("/"))));
  await until(() => answers.length === 50);
  let writes = 0;
  const plain = Socket.prototype.write;
  vi.spyOn(Socket.prototype, "write").mockImplementation(function (this: Socket, ...args: unknown[]) {
    if (this !== client.socket) writes++;
    return Reflect.apply(plain, this, args) as boolean;
  });
  for (const answer of answers) answer();
  await until(() => ids.every((id) => client.stream(id).ended));
  expect(writes).toBe(1);
});

test("a head larger than a frame, and than the memory that frames are written into, arrives", async () => {
  const values = [20_000, 70_000, 200_000].map((length) => "v".repeat(length));
  const { client } = await serve(({ request: { path }, response }) => {
    response.send({ status: 200, headers: HeaderList.from([["x-long", values[Number(path.slice(1))] as string]]) }, "body");
  });
  client.send(...values.map((_, i) => whole(i * 2 + 1, request(`/${i}`))));
  await until(() => values.every((_, i) => client.stream(i * 2 + 1).ended));
  for (const [i, value] of values.entries()) {
    const stream = client.stream(i * 2 + 1);
    expect([stream.heads[0]?.find(([name]) => name === "x-long")?.[1] === value, stream.body]).toEqual([true, "body"]);
  }
});

test("a reset within the turn of the head leaves behind it", async () => {
  const { client } = await serve(({ response }) => {
    response.start(ok);
    response.write(Buffer.from("part"));
    response.abort(new Error("the destination failed"));
  });
  client.send(whole(1, request("/")));
  await until(() => client.stream(1).resetWith !== undefined);
  expect([client.stream(1).resetWith, client.stream(1).ended]).toEqual([errorCode.internalError, false]);
});

test("streams that are held back by one window take turns", async () => {
  const { client } = await serve(({ response }) => response.send(ok, Buffer.alloc(100_000)), undefined, [[settingId.initialWindowSize, 1_000_000]]);
  client.send(whole(1, request("/")), whole(3, request("/")), whole(5, request("/")));
  // The window of the connection is what everybody begins with.
  await until(() => [1, 3, 5].reduce((sum, id) => sum + client.stream(id).size, 0) === 65_535);
  client.send(frame(frameType.windowUpdate, 0, 0, Buffer.from([0, 0, 0xf0, 0])));
  await until(() => [1, 3, 5].reduce((sum, id) => sum + client.stream(id).size, 0) === 65_535 + 0xf000);
  const later = client.frames.filter(({ type }) => type === frameType.data).slice(-3).map(({ stream }) => stream);
  expect(new Set(later).size).toBe(3);
});

test("a client that takes nothing of what is written for it loses its connection", async () => {
  let gone = 0;
  const { client, server, faults, pass } = await serve((exchange) => {
    exchange.onClientGone(() => gone++);
    exchange.response.start(ok);
    exchange.response.write(Buffer.alloc(16 * 1024 * 1024));
  }, { minResponseDataRate: { bytesPerSecond: 10_000_000, gracePeriod: 500 } }, [[settingId.initialWindowSize, 0x7fff_ffff]]);
  client.socket.pause();
  client.send(frame(frameType.windowUpdate, 0, 0, Buffer.from([0x7f, 0xff, 0, 0])), whole(1, request("/")));
  for (let i = 0; i < 20 && server.connectionCount > 0; i++) await pass(500);
  expect(server.connectionCount).toBe(0);
  expect([gone, faults.map(({ message }) => message)]).toEqual([1, ["the client reads too slowly"]]);
});

test("a header block that does not come to its end ends the connection by the time for a head", async () => {
  const { client, pass } = await serve(({ response }) => response.send(ok), { requestHeadersTimeout: 1000 });
  expect(await client.get(1)).toBe("status 200");
  client.send(frame(frameType.headers, 0, 3, block(request("/"))));
  for (let i = 0; i < 10 && client.ending === undefined; i++) await pass(500);
  await until(() => client.closed);
  expect(client.ending).toContain("ENHANCE_YOUR_CALM");
});
