import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createEngineClient, type DestinationRequest, HeaderList, type HttpClient } from "../../src/index.ts";
import { answering, RawDestination, type Script } from "./raw-destination.ts";
import { bodyOf, get, ManualBody, Recorder, send } from "./recorder.ts";

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

let client: HttpClient;
let destination: RawDestination;
let time = 0;

beforeEach(() => {
  client = createEngineClient({ now: () => time, timerInterval: 10 });
});

afterEach(async () => {
  client.destroy();
  await destination.stop();
});

async function start(script: Script): Promise<ReturnType<HttpClient["destination"]>> {
  destination = await RawDestination.start(script);
  return client.destination(destination.origin);
}

/** Sends `request` and gives what the destination received, once it ends with `end`. */
async function onTheWire(request: DestinationRequest, end = "\r\n\r\n"): Promise<string> {
  const pool = await start((socket, received) => {
    if (received.endsWith(end)) socket.write(ok);
  });
  const recorder = await send(pool, request).done;
  expect(recorder.outcome).toBe("end");
  return destination.received[0] as string;
}

describe("a request on the wire", () => {
  it("has its fields as they were given", async () => {
    const wire = await onTheWire(get("/a%2Fb?x=1&y", [["X-A", "1"], ["x-a", "\xe9\x80"], ["Accept", ""]]));
    expect(wire).toBe("GET /a%2Fb?x=1&y HTTP/1.1\r\nHost: test\r\nX-A: 1\r\nx-a: \xe9\x80\r\nAccept: \r\n\r\n");
  });

  it("gets the authority of the origin as Host when it has none", async () => {
    const wire = await onTheWire({ ...get(), headers: HeaderList.from([["X-A", "1"]]) });
    expect(wire).toBe(`GET / HTTP/1.1\r\nHost: 127.0.0.1:${destination.port}\r\nX-A: 1\r\n\r\n`);
  });

  it("has no framing or connection field but the client's own", async () => {
    const framing: [string, string][] = [
      ["Content-Length", "5"], ["transfer-encoding", "chunked"], ["Connection", "X-A"], ["Keep-Alive", "1"],
      ["Upgrade", "h2c"], ["Expect", "100-continue"], ["Proxy-Connection", "close"],
    ];
    expect(await onTheWire(get("/", framing))).toBe("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
  });

  it("names TE in Connection, since it is for this hop", async () => {
    expect(await onTheWire(get("/", [["TE", "trailers"]]))).toBe("GET / HTTP/1.1\r\nHost: test\r\nTE: trailers\r\nConnection: TE\r\n\r\n");
    await destination.stop();
    expect(await onTheWire({ ...get("/", [["te", "trailers"]]), upgrade: "echo" })).toBe(
      "GET / HTTP/1.1\r\nHost: test\r\nte: trailers\r\nConnection: Upgrade, TE\r\nUpgrade: echo\r\n\r\n",
    );
  });

  it("declares the length of its body, also of an empty one", async () => {
    expect(await onTheWire({ ...get(), method: "POST", body: bodyOf("hello") }, "hello")).toBe(
      "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nhello",
    );
    await destination.stop();
    expect(await onTheWire({ ...get(), method: "POST", body: bodyOf("") })).toBe(
      "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n",
    );
  });

  it("is chunked when the length is not known, with trailers", async () => {
    const trailers = HeaderList.from([["X-T", "1"], ["X-U", "2"]]);
    expect(await onTheWire({ ...get(), method: "PUT", body: bodyOf("hello", { chunked: true, trailers }) }, "X-U: 2\r\n\r\n")).toBe(
      "PUT / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-T: 1\r\nX-U: 2\r\n\r\n",
    );
  });

  it("carries bodies of any size and pieces", async () => {
    for (const sizes of [[1, 4096, 4097, 10], [70_000, 3], [16_384, 1, 1], [200_000]]) {
      for (const chunked of [true, false]) {
        const total = sizes.reduce((sum, size) => sum + size, 0);
        const body = new ManualBody(chunked ? undefined : total);
        body.onRead = () => {
          for (const size of sizes) body.sink?.onData(Buffer.alloc(size, String(size % 10)));
          body.sink?.onEnd(undefined);
        };
        const data = sizes.map((size) => String(size % 10).repeat(size));
        const last = chunked ? "0\r\n\r\n" : (data.at(-1) as string);
        const pool = await start((socket, received) => {
          if (received.length > total && received.endsWith(last)) socket.write(ok);
        });
        expect((await send(pool, { ...get(), method: "POST", body }).done).outcome).toBe("end");
        const expected = chunked ? `${data.map((each) => `${each.length.toString(16)}\r\n${each}\r\n`).join("")}0\r\n\r\n` : data.join("");
        expect((destination.received[0] as string).split("\r\n\r\n").slice(1).join("\r\n\r\n") === expected).toBe(true);
        await destination.stop();
      }
    }
    destination = await RawDestination.start(() => undefined);
  });

  it("holds the body back while the destination does not read", async () => {
    const pool = await start(() => undefined);
    const body = new ManualBody();
    const recorder = send(pool, { ...get(), method: "POST", body });
    await destination.until(() => (destination.received[0] ?? "") !== "");
    const socket = destination.sockets[0];
    socket?.pause();
    let sent = 0;
    while (!body.paused) {
      body.sink?.onData(Buffer.alloc(65_536));
      sent += 65_536;
      expect(sent).toBeLessThan(64 * 1024 * 1024);
      await new Promise(setImmediate);
    }
    const resumed = new Promise<void>((resolve) => {
      body.resume = () => {
        body.paused = false;
        resolve();
      };
    });
    const { progress } = recorder;
    socket?.resume();
    await resumed;
    expect(recorder.progress).toBeGreaterThan(progress);
    recorder.call?.abort(new Error("enough"));
    expect(body.cancelled).toBe(1);
  });

  it("tells whether it holds a chunk", async () => {
    const pool = await start(() => undefined);
    const body = new ManualBody();
    send(pool, { ...get(), method: "POST", body });
    await destination.until(() => (destination.received[0] ?? "") !== "");
    destination.sockets[0]?.pause();
    expect(body.sink?.onData(Buffer.from("small"))).toBe(true);
    expect(body.sink?.onData(Buffer.alloc(32 * 1024 * 1024))).toBe(false);
  });
});

describe("a request that would be read as something else is not sent", () => {
  const refused: readonly (readonly [title: string, request: Partial<DestinationRequest>])[] = [
    ["CRLF in the target", { target: "/ HTTP/1.1\r\nX: 1" }],
    ["a blank in the target", { target: "/a b" }],
    ["NUL in the target", { target: "/\0" }],
    ["a character above ASCII in the target", { target: "/\xe9" }],
    ["an empty target", { target: "" }],
    ["a line break in the method", { method: "GET / HTTP/1.1\r\nX:" }],
    ["an empty method", { method: "" }],
    ["CRLF in a value", { headers: HeaderList.from([["Host", "a"], ["X-A", "1\r\nX-B: 2"]]) }],
    ["CR in a value", { headers: HeaderList.from([["Host", "a"], ["X-A", "1\rX-B: 2"]]) }],
    ["LF in a value", { headers: HeaderList.from([["Host", "a"], ["X-A", "1\nX-B: 2"]]) }],
    ["NUL in a value", { headers: HeaderList.from([["Host", "a"], ["X-A", "1\x002"]]) }],
    ["LF cut out of a wide character", { headers: HeaderList.from([["Host", "a"], ["X-A", "1\u010aX-B: 2"]]) }],
    ["CRLF in a name", { headers: HeaderList.from([["Host", "a"], ["X-A: 1\r\nX-B", "2"]]) }],
    ["CRLF in Host", { headers: HeaderList.from([["Host", "a\r\nX: 1"]]) }],
    ["two Host fields", { headers: HeaderList.from([["Host", "a"], ["host", "b"]]) }],
    ["CRLF in the upgrade", { upgrade: "websocket\r\nX: 1" }],
  ];
  for (const [title, change] of refused) {
    it(title, async () => {
      const pool = await start(answering(ok));
      const body = new ManualBody(3);
      const recorder = send(pool, { ...get(), body, ...change });
      expect(recorder.error).toMatchObject({ source: "gateway", requestSent: false });
      expect(body.started).toBe(false);
      expect((await send(pool).done).outcome).toBe("end");
      expect(destination.received).toEqual(["GET / HTTP/1.1\r\nHost: test\r\n\r\n"]);
    });
  }

  it("whatever stands in a field, one line is one line", async () => {
    const pool = await start(answering(ok));
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary" }), async (value) => {
        const recorder = await send(pool, get("/", [["X-A", value]])).done;
        const wire = destination.received.at(-1) ?? "";
        if (recorder.outcome === "end") expect(wire.endsWith(`\r\nX-A: ${value}\r\n\r\n`)).toBe(true);
        else expect(recorder.error).toMatchObject({ source: "gateway", requestSent: false });
      }),
      { numRuns: 100, seed: 11 },
    );
  });

  it("a trailer breaks the request off before its end", async () => {
    const pool = await start(() => undefined);
    const trailers = HeaderList.from([["X-T", "1\r\nX-U: 2"]]);
    const recorder = await send(pool, { ...get(), method: "POST", body: bodyOf("x", { chunked: true, trailers }) }).done;
    expect(recorder.error).toMatchObject({ step: "request-body", source: "gateway" });
    await destination.until(() => destination.open === 0);
    expect(destination.received.join("")).not.toContain("X-U");
  });
});

describe("a request body that breaks its word", () => {
  for (const [title, act] of [
    ["by an error", (body: ManualBody) => body.sink?.onError(new Error("client left"))],
    ["by ending early", (body: ManualBody) => body.sink?.onEnd(undefined)],
    ["by going on", (body: ManualBody) => body.sink?.onData(Buffer.from("more than ten bytes"))],
  ] as const) {
    it(`${title} is the client's failure, and the connection is cut`, async () => {
      const pool = await start(() => undefined);
      const body = new ManualBody(10);
      const recorder = send(pool, { ...get(), method: "POST", body });
      await destination.until(() => (destination.received[0] ?? "") !== "");
      body.sink?.onData(Buffer.from("12345"));
      act(body);
      expect((await recorder.done).error).toMatchObject({ step: "request-body", source: "client", requestSent: true });
      await destination.until(() => destination.open === 0);
      expect(destination.received[0]).not.toContain("more than");
      expect(recorder.faults).toEqual([]);
    });
  }

  it("by throwing is an error of the request", async () => {
    const pool = await start(() => undefined);
    const body = new ManualBody(10);
    body.onRead = () => {
      throw new Error("no body");
    };
    const { error } = await send(pool, { ...get(), method: "POST", body }).done;
    expect(error).toMatchObject({ step: "request-body", source: "gateway", requestSent: false });
  });

  it("is not touched when no connection could be had", async () => {
    const pool = await start(() => undefined);
    await destination.stop();
    const body = new ManualBody(10);
    const { error } = await send(pool, { ...get(), method: "POST", body }).done;
    expect(error).toMatchObject({ step: "connect", requestSent: false });
    expect([body.started, body.cancelled]).toEqual([false, 0]);
  });
});

describe("Expect: 100-continue", () => {
  const expecting = (body: ManualBody): DestinationRequest => ({ ...get(), method: "POST", body, expectContinue: true });

  it("holds the body until 100", async () => {
    const pool = await start((socket, received) => {
      if (received.endsWith("\r\n\r\n")) socket.write("HTTP/1.1 100 Continue\r\n\r\n");
      if (received.endsWith("hello")) socket.write(ok);
    });
    const recorder = await send(pool, expecting(bodyOf("hello"))).done;
    expect(recorder.seen).toMatchObject({ interim: [100], outcome: "end", body: "ok" });
    expect(destination.received[0]).toBe(
      "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello",
    );
    expect((await send(pool, expecting(bodyOf("hello"))).done).outcome).toBe("end");
    expect(destination.sockets.length).toBe(1);
  });

  it("lets the body go after a second without an answer", async () => {
    const pool = await start((socket, received) => {
      if (received.endsWith("hello")) socket.write(ok);
    });
    const body = bodyOf("hello");
    const recorder = send(pool, expecting(body));
    await destination.until(() => (destination.received[0] ?? "") !== "");
    expect(body.started).toBe(false);
    time += 1500;
    expect((await recorder.done).outcome).toBe("end");
  });

  it("never reads the body after a final response", async () => {
    const pool = await start(answering("HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n"));
    const body = new ManualBody(5);
    const recorder = await send(pool, expecting(body)).done;
    expect(recorder.seen).toMatchObject({ status: 417, outcome: "end" });
    expect([body.sink, body.cancelled]).toEqual([undefined, 1]);
    await destination.until(() => destination.open === 0);
  });

  it("takes 100 that nobody asked for as an interim response", async () => {
    const pool = await start(answering(`HTTP/1.1 100 Continue\r\n\r\n${ok}`));
    expect((await send(pool).done).seen).toMatchObject({ interim: [100], outcome: "end" });
  });
});

describe("an aborted call", () => {
  it("closes its connection and says nothing more", async () => {
    const pool = await start((socket) => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"));
    const recorder = new Recorder();
    recorder.onChunk = () => {
      recorder.call?.abort(new Error("enough"));
      recorder.call?.resume();
    };
    send(pool, get(), recorder);
    await destination.until(() => destination.sockets.length === 1 && destination.open === 0);
    expect(recorder.seen).toMatchObject({ outcome: "open", body: "half" });
    expect(recorder.faults).toEqual([]);
  });

  it("within a head is the end of it", async () => {
    const pool = await start(answering(ok));
    const recorder = new Recorder();
    recorder.onHead = () => recorder.call?.abort(new Error("enough"));
    send(pool, get(), recorder);
    await destination.until(() => destination.sockets.length === 1 && destination.open === 0);
    expect(recorder.seen).toMatchObject({ outcome: "open", body: "" });
  });
});
