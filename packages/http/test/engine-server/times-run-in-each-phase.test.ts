/** Which time runs when on a connection, in memory and with a clock that only the test moves. */
import { describe, expect, test } from "vitest";
import { type Exchange, type ExchangeHandler, HeaderList, type ServerLimits } from "../../src/index.ts";
import { BodyCollector } from "../contract/recorders.ts";
import { type MemoryConditions, openInMemory } from "./memory-connection.ts";

const ok = { status: 200, headers: new HeaderList() };
const get = "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n";
const post = (length: number): string => `POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${length}\r\n\r\n`;
const upgrade = "GET / HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\n";

/** A connection whose exchanges are kept for the test, which moves the clock by `pass`. */
function open(limits?: Partial<ServerLimits>, handler: ExchangeHandler = () => undefined, given: MemoryConditions = {}) {
  let time = 0;
  const exchanges: Exchange[] = [];
  const made = openInMemory(
    (exchange) => {
      exchanges.push(exchange);
      return handler(exchange);
    },
    limits, undefined, { ...given, now: () => time },
  );
  return {
    ...made,
    exchanges,
    send: (text: string): void => made.connection.data(Buffer.from(text, "latin1")),
    pass(milliseconds: number): void {
      time += milliseconds;
      made.wheel.advance();
    },
  };
}

describe("behind its last answer a client", () => {
  test("is waited for some seconds, and its bytes are read though it was held back before", () => {
    const { socket, exchanges, send, pass } = open({ maxRequestBufferSize: 1000 });
    send(`GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n${"x".repeat(2000)}`);
    expect(socket.paused).toBe(true);
    exchanges[0]?.response.send(ok);
    expect([socket.ended, socket.paused, socket.destroyed]).toEqual([true, false, false]);
    pass(4000);
    expect(socket.destroyed).toBe(false);
    pass(2000);
    expect(socket.destroyed).toBe(true);
  });

  test("that goes on with a body which nobody wants is given some seconds to end it", () => {
    const { socket, exchanges, send, pass } = open({ minRequestBodyDataRate: undefined });
    send(`${post(100)}abc`);
    exchanges[0]?.response.start(ok);
    exchanges[0]?.response.end();
    // Nobody reads it: nobody holds it back either.
    exchanges[0]?.body?.pause();
    pass(4000);
    expect(socket.ended).toBe(false);
    pass(2000);
    expect([socket.ended, socket.destroyed]).toEqual([true, false]);
  });
});

describe("a client that has half-closed", () => {
  const limits = { halfClosedTimeout: 10_000 };

  test("is waited for from the beginning of a request that waited behind another", () => {
    const { socket, connection, exchanges, send, pass } = open(limits);
    send(get + get);
    connection.ended();
    pass(9000);
    exchanges[0]?.response.send(ok);
    expect([exchanges.length, socket.destroyed]).toEqual([2, false]);
    pass(9000);
    expect(socket.destroyed).toBe(false);
    pass(2000);
    expect(socket.destroyed).toBe(true);
  });

  test.each([["whole", 3], ["cut off", 10]])("behind a body, %s, that was held back, is waited for from when that was read", (_, length) => {
    const { socket, connection, exchanges, send, pass } = open(limits);
    send(`${post(length)}abc`);
    const source = exchanges[0]?.body;
    source?.pause();
    source?.read(new BodyCollector());
    connection.ended();
    pass(60_000);
    expect(socket.destroyed).toBe(false);
    source?.resume();
    pass(9000);
    expect(socket.destroyed).toBe(false);
    pass(2000);
    expect(socket.destroyed).toBe(true);
  });

  test("is waited for as long as something is written to it, or not taken by it", () => {
    const { socket, connection, exchanges, send, pass } = open({ ...limits, minResponseDataRate: undefined });
    send(get);
    connection.ended();
    const response = exchanges[0]?.response;
    response?.start(ok);
    response?.flush();
    pass(6000);
    response?.write(Buffer.from("a"));
    response?.flush();
    pass(6000);
    expect(socket.destroyed).toBe(false);
    socket.writableLength = 1;
    pass(6000);
    pass(6000);
    expect(socket.destroyed).toBe(false);
    socket.writableLength = 0;
    pass(12_000);
    expect(socket.destroyed).toBe(true);
  });
});

describe("the time for", () => {
  test("the first head runs from the opening of the connection, that for another from its first byte", () => {
    const { socket, exchanges, send, pass } = open();
    pass(20_000);
    send(get.slice(0, 5));
    pass(9000);
    send(get.slice(5));
    exchanges[0]?.response.send(ok);
    pass(60_000);
    send(get.slice(0, 5));
    pass(29_000);
    expect([exchanges.length, socket.ended]).toEqual([1, false]);
    pass(2000);
    expect(socket.sent).toContain("HTTP/1.1 408 ");
    expect(socket.ended).toBe(true);
    const slow = open();
    slow.pass(20_000);
    slow.send(get.slice(0, 5));
    slow.pass(11_000);
    expect(slow.socket.sent).toContain("HTTP/1.1 408 ");
  });

  test("a head does not count against a body that its handler has not read yet", () => {
    const { socket, exchanges, send, pass } = open();
    send(post(3));
    pass(600_000);
    const sink = new BodyCollector();
    exchanges[0]?.body?.read(sink);
    send("abc");
    exchanges[0]?.response.send(ok);
    expect([sink.size, socket.sent.slice(9, 12), socket.ended]).toEqual([3, "200", false]);
  });

  test("a body runs from when it is read, on a connection of any age", () => {
    const { exchanges, send, pass } = open({ keepAliveTimeout: 1_000_000, minRequestBodyDataRate: { bytesPerSecond: 240, gracePeriod: 5000 } });
    send(get);
    exchanges[0]?.response.send(ok);
    pass(500_000);
    send(post(10_000));
    const sink = new BodyCollector();
    exchanges[1]?.body?.read(sink);
    send("x".repeat(3000));
    pass(6000);
    send("x".repeat(7000));
    expect(sink.size).toBe(10_000);
  });
});

describe("a connection that was upgraded", () => {
  test("has no time to run out, however long either side is silent or does not read", () => {
    const { socket, connection, exchanges, send, pass } = open();
    send(upgrade);
    socket.writableLength = 100;
    const tunnel = exchanges[0]?.features.upgrade?.accept({ status: 101, headers: new HeaderList() });
    tunnel?.read(new BodyCollector());
    pass(10_000_000);
    expect(socket.destroyed).toBe(false);
    tunnel?.write(Buffer.from("a"));
    pass(10_000_000);
    connection.ended();
    tunnel?.write(Buffer.from("b"));
    pass(10_000_000);
    expect(socket.destroyed).toBe(false);
  });

  test("is not given back to whoever lent it", () => {
    let kept = 0;
    const lender = { giveBack: () => "stays" as const, keeps: () => void kept++ };
    const { exchanges, send } = open(undefined, undefined, { lender });
    send(upgrade);
    expect(kept).toBe(0);
    exchanges[0]?.features.upgrade?.accept({ status: 101, headers: new HeaderList() });
    expect(kept).toBe(1);
  });
});

test("what comes behind a broken body is read up to a bound while its answer is made", () => {
  const { socket, exchanges, send } = open();
  send("POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n");
  exchanges[0]?.body?.read(new BodyCollector());
  send("nonsense\r\n");
  const piece = "x".repeat(1_048_576);
  for (let i = 0; i < 8; i++) send(piece);
  expect(socket.paused).toBe(false);
  send(piece);
  expect([socket.paused, socket.destroyed]).toEqual([true, false]);
  exchanges[0]?.response.send({ ...ok, status: 400 });
  expect([socket.ended, socket.paused]).toEqual([true, false]);
  send("x");
  expect(socket.destroyed).toBe(true);
});

test("little is read of a body that its reader holds back, and more of one that was not begun", () => {
  const { socket, exchanges, send } = open();
  send(`${post(1_000_000)}${"x".repeat(70_000)}`);
  expect(socket.paused).toBe(false);
  const body = exchanges[0]?.body;
  body?.pause();
  body?.read(new BodyCollector());
  send("x");
  expect(socket.paused).toBe(true);
  body?.resume();
  expect(socket.paused).toBe(false);
});

test("nothing of a later response counts as unsent of one that is over", () => {
  const { socket, exchanges, send } = open();
  send(get + get);
  exchanges[0]?.response.send(ok);
  socket.writableLength = 500;
  exchanges[1]?.response.start(ok);
  exchanges[1]?.response.flush();
  expect([exchanges[0]?.response.pending, exchanges[1]?.response.pending]).toEqual([0, 500]);
});
