/** What the exchange contract says, over HTTP/2, with Node's client. */
import { once } from "node:events";
import { constants, type OutgoingHttpHeaders } from "node:http2";
import { describe, expect, test } from "vitest";
import { ClientGoneError, type Exchange, ExchangeStateError, HeaderList } from "../../src/index.ts";
import { RawClient } from "../contract/raw-client.ts";
import { BodyCollector, collect, signal, until } from "../contract/recorders.ts";
import { answered, frame, get, serve } from "./http2-bench.ts";

const ok = { status: 200, headers: new HeaderList() };

describe("a request", () => {
  test("is presented as it stood in the frames, with Host first", async () => {
    let seen: Exchange | undefined;
    const bench = await serve((exchange) => {
      seen = exchange;
      exchange.response.send(ok);
    });
    await get(bench, { ":path": "/a/%2e%2e/b%2Fc?d=%20", ":authority": "A.test:8080", "x-two": ["1", "2"], "x-latin": "\u00e9" });
    expect(seen?.request).toMatchObject({ method: "GET", target: "/a/%2e%2e/b%2Fc?d=%20", path: "/b%2Fc", query: "?d=%20", scheme: "http", authority: "A.test:8080", httpVersion: "2" });
    expect(seen?.request.headers.toRaw()).toEqual(["Host", "A.test:8080", "x-two", "1", "x-two", "2", "x-latin", "\u00e9"]);
    expect([seen?.body, seen?.features.upgrade, seen?.connection.tls]).toEqual([undefined, undefined, undefined]);
  });

  test.each([
    ["CONNECT", { ":method": "CONNECT", ":authority": "a.test:1" }, 501],
    ["a path with characters of no URI", { ":path": "/a<b" }, 400],
    ["a host that is not the authority", { ":authority": "a.test", host: "b.test" }, 400],
    ["an unknown expectation", { expect: "more" }, 417],
    ["a path that is too long", { ":path": `/${"a".repeat(9000)}` }, 414],
    ["too many fields", Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`x-${i}`, "1"])), 431],
  ])("with %s is refused", async (_what, headers: OutgoingHttpHeaders, status) => {
    const bench = await serve((exchange) => exchange.response.send(ok));
    expect((await get(bench, headers)).status).toBe(status);
    expect(bench.faults).toHaveLength(1);
    expect((await get(bench, { ":path": "/" })).status).toBe(200);
  });

  test("body arrives whole with its trailers, and goes back with others", async () => {
    const bench = await serve(async (exchange) => {
      const { bytes, trailers } = await collect(exchange.body);
      exchange.response.start({ status: 200, headers: HeaderList.from([["Connection", "close"], ["X-Sum", String(trailers?.get("x-sum"))]]) });
      exchange.response.write(bytes);
      exchange.response.end(HeaderList.from([["X-End", "1"], ["Content-Length", "5"], ["x-end", "2"]]));
    });
    const stream = bench.session.request({ ":method": "POST", ":path": "/" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "x-sum": "7" }));
    stream.end("hello");
    const answer = await answered(stream);
    expect([answer.status, answer.body, answer.headers["x-sum"], answer.headers["connection"]]).toEqual([200, "hello", "7", undefined]);
    expect(answer.trailers).toMatchObject({ "x-end": "1, 2" });
    expect(answer.trailers).not.toHaveProperty("content-length");
  });

  test("body stays with the client while the reader holds it back", async () => {
    const collector = new BodyCollector();
    let held: Exchange | undefined;
    const total = 4 * 1024 * 1024;
    const bench = await serve(async (exchange) => {
      held = exchange;
      exchange.body?.pause();
      exchange.body?.read(collector);
      await collector.done;
      exchange.response.send(ok, String(collector.size));
    });
    const stream = bench.session.request({ ":method": "POST", ":path": "/" });
    const answer = answered(stream);
    stream.end(Buffer.alloc(total));
    await until(() => held !== undefined);
    await new Promise<void>((resolve) => {
      bench.session.ping(() => resolve());
    });
    expect(collector.size).toBe(0);
    expect(stream.writableLength).toBeGreaterThan(0);
    held?.body?.resume();
    expect((await answer).body).toBe(String(total));
  });

  test("body beyond the limit is refused with 413", async () => {
    const bench = await serve(async (exchange) => {
      await collect(exchange.body);
    }, { maxRequestBodySize: 4 });
    const stream = bench.session.request({ ":method": "POST", ":path": "/" });
    stream.write("hello");
    expect((await answered(stream)).status).toBe(413);
  });

  test("that expects 100 gets it when its body is read", async () => {
    const bench = await serve(async (exchange) => exchange.response.send(ok, (await collect(exchange.body)).bytes));
    const stream = bench.session.request({ ":method": "POST", ":path": "/", expect: "100-continue" });
    stream.once("continue", () => stream.end("now"));
    expect((await answered(stream)).body).toBe("now");
  });
});

describe("a response", () => {
  test("comes after interim ones", async () => {
    const bench = await serve((exchange) => {
      exchange.response.informational(103, HeaderList.from([["Link", "</a>"]]));
      exchange.response.send(ok, "done");
    });
    const answer = await get(bench, { ":path": "/" });
    expect([answer.interim, answer.body, answer.headers["content-length"]]).toEqual([[103], "done", "4"]);
  });

  test.each([["HEAD", 200], ["GET", 204], ["GET", 304]])("to %s with %d has no body", async (method, status) => {
    const bench = await serve(({ response }) => {
      response.start({ status, headers: HeaderList.from([["Content-Length", "5"]]) });
      expect(response.trailersSupported).toBe(false);
      response.write(Buffer.from("hello"));
      response.end();
    });
    const answer = await get(bench, { ":method": method, ":path": "/" });
    expect([answer.status, answer.body, answer.rstCode]).toEqual([status, "", 0]);
  });

  test.each([
    ["aborted", constants.NGHTTP2_INTERNAL_ERROR, (exchange: Exchange) => exchange.response.abort(new Error("the destination failed"))],
    ["given up", constants.NGHTTP2_CANCEL, (exchange: Exchange) => exchange.response.abort(new ClientGoneError("cancelled"))],
    ["shorter than announced", constants.NGHTTP2_INTERNAL_ERROR, (exchange: Exchange) => exchange.response.end()],
    ["longer than announced", constants.NGHTTP2_INTERNAL_ERROR, (exchange: Exchange) => void exchange.response.write(Buffer.alloc(9))],
  ])("that is %s ends with a reset", async (_how, code, end) => {
    let completed = 0;
    const bench = await serve((exchange) => {
      exchange.onComplete(() => completed++);
      exchange.response.start({ status: 200, headers: HeaderList.from([["Content-Length", "9"]]) });
      exchange.response.write(Buffer.from("part"));
      setImmediate(() => end(exchange));
    });
    expect((await get(bench, { ":path": "/" })).rstCode).toBe(code);
    expect(completed).toBe(1);
  });

  test("is held back while the client does not read", async () => {
    let stopped = false;
    let drained = 0;
    const bench = await serve(({ response }) => {
      response.start(ok);
      let left = 40;
      const more = (): void => {
        while (left > 0) {
          left--;
          if (!response.write(Buffer.alloc(65_536))) {
            stopped = true;
            return;
          }
        }
        response.end();
      };
      response.onDrain(() => {
        drained++;
        more();
      });
      more();
    });
    const answer = await get(bench, { ":path": "/" });
    expect([answer.body.length, stopped, drained > 0]).toEqual([40 * 65_536, true, true]);
  });

  test("out of order throws, with a handler that throws it is a 500, and lines that would split it are stopped", async () => {
    const bench = await serve(({ response }) => {
      expect(() => response.write(Buffer.from("a"))).toThrow(ExchangeStateError);
      expect(() => response.send({ status: 200, headers: HeaderList.from([["x", "a\r\nb"]]) })).toThrow(ExchangeStateError);
      throw new Error("mistake");
    });
    expect((await get(bench, { ":path": "/" })).status).toBe(500);
    expect(bench.faults.map((fault) => fault.message)).toEqual(["mistake"]);
  });
});

describe("an ending", () => {
  test("by the client's reset is told once, to body and exchange, and nothing after it throws", async () => {
    const arrived = signal<Exchange>();
    const bench = await serve((exchange) => arrived.resolve(exchange));
    const raw = await RawClient.open(bench.port);
    // POST / of a.test without END_STREAM, one byte of body, then CANCEL: Node's client would end the body first.
    raw.write(Buffer.concat([
      Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
      frame(4, 0, 0, ""),
      frame(1, 4, 1, "83868441 06612e74657374"),
      frame(0, 0, 1, "61"),
    ]));
    const exchange = await arrived.promise;
    const told: string[] = [];
    exchange.onClientGone(() => told.push("gone"));
    exchange.onComplete(() => told.push("complete"));
    const collector = new BodyCollector();
    exchange.body?.read(collector);
    await collector.first;
    raw.write(frame(3, 0, 1, "00000008"));
    await expect(collector.done).rejects.toBeInstanceOf(ClientGoneError);
    await until(() => told.length === 2);
    exchange.response.send(ok, "late");
    exchange.onClientGone(() => told.push("late"));
    expect(told).toEqual(["gone", "complete", "late"]);
    raw.destroy();
  });

  test("by shutdown lets what is under way finish and takes nothing new", async () => {
    const arrived = signal<Exchange>();
    const bench = await serve((exchange) => arrived.resolve(exchange));
    const answer = get(bench, { ":path": "/" });
    const exchange = await arrived.promise;
    const goaway = new Promise<number>((resolve) => {
      bench.session.once("goaway", resolve);
    });
    const closing = bench.server.close(5000);
    expect(await goaway).toBe(constants.NGHTTP2_NO_ERROR);
    exchange.response.send(ok, "finished");
    expect((await answer).body).toBe("finished");
    // Node's client may close without an answer to the PING: then the time for it passes.
    await bench.clock.passUntil(closing);
  });

  test("by idleness is a GOAWAY", async () => {
    const bench = await serve(({ response }) => response.send(ok), { keepAliveTimeout: 1000 });
    await get(bench, { ":path": "/" });
    const closed = once(bench.session, "close");
    await bench.clock.passUntil(closed);
  });
});

describe("an extended CONNECT", () => {
  const ask = { ":method": "CONNECT", ":protocol": "websocket", ":path": "/chat", ":scheme": "http" };

  test("is an upgrade of kind http2, and its tunnel carries bytes and ends both ways", async () => {
    const bench = await serve((exchange) => {
      const { upgrade } = exchange.features;
      expect([upgrade?.kind, upgrade?.protocol, exchange.request.path]).toEqual(["http2", "websocket", "/chat"]);
      const tunnel = upgrade?.accept(ok);
      tunnel?.read({ onData: (chunk) => void tunnel.write(Buffer.from(chunk)), onEnd: () => tunnel.end(), onError: () => undefined });
    });
    await once(bench.session, "remoteSettings");
    const stream = bench.session.request(ask, { endStream: false });
    stream.write("ping");
    const [echo] = (await once(stream, "data")) as [Buffer];
    expect(echo.toString()).toBe("ping");
    stream.end();
    expect((await answered(stream)).rstCode).toBe(0);
  });

  test("that the client resets is an error to the tunnel", async () => {
    const sink = new BodyCollector();
    const bench = await serve((exchange) => {
      exchange.features.upgrade?.accept(ok).read(sink);
    });
    const raw = await RawClient.open(bench.port);
    // CONNECT with :protocol websocket, :scheme http, :path /, :authority a.test; one byte; then CANCEL.
    raw.write(Buffer.concat([
      Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
      frame(4, 0, 0, ""),
      frame(1, 4, 1, "4207434f4e4e454354 4009 3a70726f746f636f6c 09 776562736f636b6574 8684 4106612e74657374"),
      frame(0, 0, 1, "61"),
    ]));
    await sink.first;
    raw.write(frame(3, 0, 1, "00000008"));
    await expect(sink.done).rejects.toBeInstanceOf(Error);
    raw.destroy();
  });

  test("is told when its server begins to close", async () => {
    const bench = await serve((exchange) => {
      const tunnel = exchange.features.upgrade?.accept(ok);
      tunnel?.onShutdown?.(() => {
        tunnel.write(Buffer.from("bye"));
        tunnel.end();
      });
      tunnel?.read({ onData: () => true, onEnd: () => undefined, onError: () => undefined });
    });
    await once(bench.session, "remoteSettings");
    const stream = bench.session.request(ask, { endStream: false });
    await once(stream, "response");
    const closing = bench.server.close(5000);
    stream.end();
    expect((await answered(stream)).body).toBe("bye");
    await bench.clock.passUntil(closing);
  });

  test("can be declined", async () => {
    const bench = await serve((exchange) => exchange.response.send({ status: 403, headers: new HeaderList() }));
    await once(bench.session, "remoteSettings");
    expect((await answered(bench.session.request(ask, { endStream: false }))).status).toBe(403);
  });
});
