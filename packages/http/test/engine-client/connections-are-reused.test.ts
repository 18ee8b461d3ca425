import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createEngineClient, type HttpClient } from "../../src/index.ts";
import { ManualClock } from "../contract/manual-clock.ts";
import { answering, RawDestination, type Script } from "./raw-destination.ts";
import { bodyOf, get, ManualBody, Recorder, send } from "./recorder.ts";

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

let client: HttpClient;
let destination: RawDestination;

beforeEach(() => {
  client = createEngineClient();
});

afterEach(async () => {
  client.destroy();
  await destination.stop();
});

async function start(script: Script): Promise<ReturnType<HttpClient["destination"]>> {
  destination = await RawDestination.start(script);
  return client.destination(destination.origin);
}

describe("connections", () => {
  it("serve one request after the other", async () => {
    const pool = await start(answering((count) => `HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n${count}`));
    expect((await send(pool).done).body).toBe("1");
    expect((await send(pool).done).body).toBe("2");
    expect((await send(pool).done).body).toBe("3");
    expect(destination.sockets.length).toBe(1);
  });

  it("are not judged by the time for their opening once they are open", async () => {
    const clock = new ManualClock();
    client.destroy();
    client = createEngineClient({ connectTimeout: 1000, now: clock.now, timerInterval: 2 });
    const pool = await start(() => undefined);
    const waiting = send(pool);
    await destination.until(() => destination.received[0]?.endsWith("\r\n\r\n") === true);
    clock.advance(60_000);
    await clock.looked();
    destination.sockets[0]?.write(ok);
    expect((await waiting.done).seen).toMatchObject({ outcome: "end", body: "ok" });
  });

  it("can be used again from the handler that hears the end", async () => {
    const pool = await start(answering(ok));
    const second = new Recorder();
    const first = new Recorder();
    first.onFinal = () => send(pool, get("/second"), second);
    send(pool, get("/first"), first);
    expect((await second.done).body).toBe("ok");
    expect(destination.sockets.length).toBe(1);
    expect(destination.received[0]).toMatch(/^GET \/first [^]*GET \/second /);
  });

  it("are shared by equal origins and by nobody else", async () => {
    const pool = await start(answering(ok));
    expect(client.destination({ ...destination.origin })).toBe(pool);
    expect(client.destination({ ...destination.origin, port: destination.port - 1 })).not.toBe(pool);
    expect(client.destination({ ...destination.origin, scheme: "https" })).not.toBe(pool);
  });

  it("carry one request at a time", async () => {
    const pool = await start(answering(ok));
    await Promise.all([send(pool).done, send(pool).done, send(pool).done]);
    expect(destination.sockets.length).toBe(3);
    for (const text of destination.received) expect(text.split("GET ").length).toBe(2);
  });

  it("are taken in the order last used first", async () => {
    const pool = await start((socket, received) => {
      if (received.endsWith("\r\n\r\n")) socket.write(ok);
    });
    const [a, b] = [send(pool, get("/a")), send(pool, get("/b"))];
    await Promise.all([a.done, b.done]);
    for (let i = 0; i < 4; i++) await send(pool, get("/again")).done;
    const counts = destination.received.map((text) => text.split("/again").length - 1);
    expect(counts.toSorted()).toEqual([0, 4]);
  });

  for (const [title, response] of [
    ["Connection: close", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"],
    ["HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"],
    ["bytes after the end", `${ok}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison`],
    ["a body after 204", "HTTP/1.1 204 X\r\nContent-Length: 6\r\n\r\npoison"],
    ["a chunked body after 304", "HTTP/1.1 304 X\r\nTransfer-Encoding: chunked\r\n\r\n6\r\npoison\r\n0\r\n\r\n"],
    ["bytes after the last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nx"],
  ] as const) {
    it(`are not used again after ${title}`, async () => {
      const pool = await start(answering(response));
      const first = await send(pool).done;
      expect(first.outcome).toBe("end");
      expect(first.body).not.toContain("poison");
      await destination.until(() => destination.open === 0);
      await send(pool).done;
      expect(destination.sockets.length).toBe(2);
    });
  }

  it("are not used again after a body in the answer to HEAD", async () => {
    const pool = await start(answering("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"));
    const first = await send(pool, { ...get(), method: "HEAD" }).done;
    expect(first).toMatchObject({ outcome: "end", body: "" });
    await destination.until(() => destination.open === 0);
  });

  it("end a body without a length when they close", async () => {
    const pool = await start((socket) => socket.end("HTTP/1.1 200 OK\r\n\r\nall of it"));
    expect((await send(pool).done).seen).toMatchObject({ outcome: "end", body: "all of it" });
  });

  for (const [title, act] of [
    ["bytes", (of: RawDestination) => of.sockets[0]?.write("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison")],
    ["an end", (of: RawDestination) => of.sockets[0]?.end()],
    ["a reset", (of: RawDestination) => of.sockets[0]?.resetAndDestroy()],
  ] as const) {
    it(`that are idle are closed by ${title}`, async () => {
      const pool = await start(answering(ok));
      await send(pool).done;
      act(destination);
      await destination.until(() => destination.open === 0);
      expect((await send(pool).done).body).toBe("ok");
      expect(destination.sockets.length).toBe(2);
    });
  }

  it("close when the client closes, at once when idle and after their response when busy", async () => {
    const pool = await start(() => undefined);
    const busy = send(pool);
    await destination.until(() => destination.received[0] !== undefined && destination.received[0] !== "");
    let closed = false;
    const closing = client.close().then(() => {
      closed = true;
    });
    const late = await send(pool).done;
    expect(late.error).toMatchObject({ step: "connect", source: "gateway", requestSent: false });
    expect(closed).toBe(false);
    destination.sockets[0]?.write(ok);
    expect((await busy.done).body).toBe("ok");
    await closing;
    await destination.until(() => destination.open === 0);
  });

  it("end with an error when the client is destroyed", async () => {
    const pool = await start(() => undefined);
    const busy = send(pool);
    await destination.until(() => destination.received[0] !== undefined && destination.received[0] !== "");
    const cause = new Error("shutting down");
    client.destroy(cause);
    expect((await busy.done).error).toMatchObject({ source: "gateway", cause, requestSent: true });
    await client.close();
  });
});

describe("a request on a used connection that dies without an answer", () => {
  /** The first connection answers once and dies at the second request; others answer. */
  const dying: Script = (socket, received, connection) => {
    const heads = received.split("\r\n\r\n").length - 1;
    if (connection === 0 && heads === 2) socket.resetAndDestroy();
    else socket.write(ok);
  };

  it("is sent once more on a fresh connection", async () => {
    const pool = await start(dying);
    await send(pool).done;
    const second = await send(pool, get("/again")).done;
    expect(second.seen).toMatchObject({ outcome: "end", body: "ok" });
    expect(second.faults).toEqual([]);
    expect(destination.received[1]).toContain("GET /again ");
  });

  it("goes past other used connections", async () => {
    const pool = await start((socket, received, connection) => {
      const heads = received.split("\r\n\r\n").length - 1;
      if (connection < 3 && heads === 2) socket.destroy();
      else socket.write(ok);
    });
    await Promise.all([send(pool).done, send(pool).done, send(pool).done]);
    expect((await send(pool).done).outcome).toBe("end");
    expect(destination.sockets.length).toBe(4);
  });

  it("is sent once more only", async () => {
    const pool = await start((socket, received, connection) => {
      if (connection === 0 && received.split("\r\n\r\n").length === 2) socket.write(ok);
      else socket.destroy();
    });
    await send(pool).done;
    expect((await send(pool).done).error).toMatchObject({ step: "request", requestSent: true });
    expect(destination.sockets.length).toBe(2);
  });

  it("is not sent again on a fresh connection, after a byte of an answer, or when it is not idempotent", async () => {
    const pool = await start((socket, received, connection) => {
      const heads = received.split("\r\n\r\n").length - 1;
      if (heads === 1 && connection < 3) socket.write(ok);
      else if (received.includes("/partly")) socket.end("HTTP/1.1 2");
      else socket.destroy();
    });
    await send(pool).done;
    expect((await send(pool, get("/partly")).done).error?.step).toBe("request");
    await send(pool).done;
    expect((await send(pool, { ...get("/post"), method: "POST" }).done).error?.step).toBe("request");
    await send(pool).done;
    expect((await send(pool, { ...get("/body"), method: "PUT", body: bodyOf("abc") }).done).outcome).toBe("error");
    expect(destination.sockets.length).toBe(3);
    expect((await send(pool, get("/fresh")).done).outcome).toBe("error");
    expect(destination.sockets.length).toBe(4);
  });

  it("is sent again with its body when that waited for 100", async () => {
    const pool = await start((socket, received, connection) => {
      if (connection === 0 && received.includes("POST")) socket.destroy();
      else if (received.includes("POST") && !received.endsWith("abc")) socket.write("HTTP/1.1 100 Continue\r\n\r\n");
      else socket.write(ok);
    });
    await send(pool).done;
    const second = await send(pool, { ...get(), method: "POST", body: bodyOf("abc"), expectContinue: true }).done;
    expect(second.seen).toMatchObject({ outcome: "end", interim: [100] });
    expect(destination.received[1]).toMatch(/\r\n\r\nabc$/);
  });
});

describe("an early response", () => {
  it("lets the body go on, and the connection be used again when both are complete", async () => {
    const pool = await start((socket, received) => {
      if (received.endsWith("\r\n\r\n")) socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no");
      if (received.endsWith("end")) socket.write("k");
    });
    const body = new ManualBody(6);
    const recorder = new Recorder();
    recorder.onHead = () => {
      body.sink?.onData(Buffer.from("an end"));
      body.sink?.onEnd(undefined);
    };
    send(pool, { ...get(), method: "POST", body }, recorder);
    expect((await recorder.done).body).toBe("ok");
    expect(body.cancelled).toBe(0);
    const second = send(pool);
    await destination.until(() => (destination.received[0] ?? "").split("HTTP/1.1").length === 3);
    second.call?.abort(new Error("enough"));
  });

  it("that ends first cancels the body and closes the connection", async () => {
    const pool = await start(answering(ok));
    const body = new ManualBody(100);
    body.onRead = () => body.sink?.onData(Buffer.from("partial"));
    const recorder = await send(pool, { ...get(), method: "POST", body }).done;
    expect(recorder.seen).toMatchObject({ outcome: "end", body: "ok" });
    expect(body.cancelled).toBe(1);
    await destination.until(() => destination.open === 0);
  });

  it("with an error that closes stops the body at once", async () => {
    const pool = await start(answering("HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\n"));
    const body = new ManualBody(100);
    const recorder = send(pool, { ...get(), method: "POST", body });
    await new Promise<void>((resolve) => {
      recorder.onHead = resolve;
    });
    expect(body.cancelled).toBe(1);
    expect(recorder.outcome).toBe("open");
    destination.sockets[0]?.end("no");
    expect((await recorder.done).body).toBe("no");
  });
});

describe("a handler that throws", () => {
  for (const at of ["onResponse", "onData", "onEnd", "onProgress", "onInformational"] as const) {
    it(`in ${at} ends its own request only`, async () => {
      const pool = await start(answering(`HTTP/1.1 103 Early Hints\r\n\r\n${ok}`));
      const recorder = new Recorder();
      Object.assign(recorder, {
        [at]: () => {
          throw new Error("handler");
        },
      });
      send(pool, get(), recorder);
      if (at !== "onEnd") {
        const { error } = await recorder.done;
        expect(error).toMatchObject({ source: "gateway", cause: new Error("handler") });
      }
      expect((await send(pool).done).body).toBe("ok");
    });
  }
});

describe("pausing", () => {
  it("holds chunks back until resumed, however they came", async () => {
    const pool = await start(answering("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n"));
    const recorder = new Recorder();
    const seen: string[] = [];
    recorder.onChunk = (chunk) => {
      seen.push(Buffer.from(chunk).toString());
      recorder.call?.pause();
      setImmediate(() => {
        seen.push("resume");
        recorder.call?.resume();
      });
    };
    await send(pool, get(), recorder).done;
    expect(seen).toEqual(["a", "resume", "b", "resume", "c", "resume"]);
    expect(recorder.outcome).toBe("end");
    expect((await send(pool).done).body).toBe("abc");
    expect(destination.sockets.length).toBe(1);
  });

  it("before the head keeps the body back and not the head", async () => {
    const pool = await start(answering(ok));
    const recorder = new Recorder();
    send(pool, get(), recorder);
    recorder.call?.pause();
    await new Promise<void>((resolve) => {
      recorder.onHead = resolve;
    });
    await new Promise(setImmediate);
    expect(recorder.body).toBe("");
    recorder.call?.resume();
    expect(recorder.body).toBe("ok");
    expect((await recorder.done).outcome).toBe("end");
  });

  it("stops the destination when it sends more than is read", async () => {
    const total = 64 * 1024 * 1024;
    const block = Buffer.alloc(1024 * 1024, "x");
    let sent = 0;
    const pool = await start((socket) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${total}\r\n\r\n`);
      const more = (): void => {
        while (sent < total) {
          sent += block.length;
          if (!socket.write(block)) {
            socket.once("drain", more);
            return;
          }
        }
      };
      more();
    });
    let size = 0;
    const recorder = new Recorder();
    recorder.onChunk = (chunk) => {
      recorder.body = "";
      size += chunk.length;
      if (size === chunk.length) recorder.call?.pause();
      return true;
    };
    send(pool, get(), recorder);
    await new Promise<void>((resolve) => {
      recorder.onHead = resolve;
    });
    let before = -1;
    while (before !== sent) {
      before = sent;
      for (let i = 0; i < 20; i++) await new Promise(setImmediate);
    }
    expect(sent).toBeLessThan(24 * 1024 * 1024);
    recorder.call?.resume();
    await recorder.done;
    expect(size).toBe(total);
  });

  it("keeps chunks that the handler holds on to", async () => {
    const total = 3_000_000;
    const text = Array.from({ length: total / 10 }, (_value, index) => String(index).padStart(10, "0")).join("");
    const pool = await start(answering(`HTTP/1.1 200 OK\r\nContent-Length: ${total}\r\n\r\n${text}`));
    const chunks: Uint8Array[] = [];
    const recorder = new Recorder();
    recorder.onChunk = (chunk) => {
      recorder.body = "";
      // Some are let go of, copied first; their memory may change from then on.
      const kept = chunks.length % 3 !== 0;
      chunks.push(kept ? chunk : Buffer.from(chunk));
      return !kept;
    };
    await send(pool, get(), recorder).done;
    expect(Buffer.concat(chunks).toString("latin1") === text).toBe(true);
  });
});
