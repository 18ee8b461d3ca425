import { expect } from "vitest";
import { ExchangeStateError, HeaderList, type Exchange } from "../../src/index.ts";
import type { ContractPart } from "./exchange-bench.ts";
import { ConnectionCutError } from "./raw-client.ts";
import { signal, until } from "./recorders.ts";

const get = "GET /a HTTP/1.1\r\nHost: a.test\r\n\r\n";
const head = (status: number, ...pairs: [string, string][]) => ({ status, headers: HeaderList.from(pairs) });

/** What a handler answers, and what stands on the wire then. */
export const responses: ContractPart = {
  title: "response",
  define({ test, serve, connect }) {
    test("keeps its lines in order, case and repetition", async () => {
      const server = await serve((exchange) => {
        const list = HeaderList.from([["X-b", "1"], ["Set-Cookie", "a=1"], ["x-A", "caf\xe9"], ["Set-Cookie", "b=2"], ["Date", "now"], ["Content-Length", "2"]]);
        exchange.response.send({ status: 299, reason: "Fine \xe9", headers: list }, "hi");
      });
      const client = await connect(server);
      client.write(get);
      const response = await client.readResponse();
      expect([response.status, response.reason, response.version]).toEqual([299, "Fine \xe9", "1.1"]);
      const own = response.headers.filter(([name]) => name.toLowerCase() !== "connection" && name.toLowerCase() !== "keep-alive");
      expect(own).toEqual([["X-b", "1"], ["Set-Cookie", "a=1"], ["x-A", "caf\xe9"], ["Set-Cookie", "b=2"], ["Date", "now"], ["Content-Length", "2"]]);
    });

    test("gets a length, a date and the standard reason when it has none", async () => {
      const server = await serve((exchange) => {
        exchange.response.send(head(404), "n\u00e9");
      });
      const client = await connect(server);
      client.write(get);
      const response = await client.readResponse();
      expect(response.reason).toBe("Not Found");
      expect(response.header("content-length")).toBe("3");
      expect(response.count("date")).toBe(1);
      expect(Date.parse(response.header("date") as string)).toBeGreaterThan(0);
      expect(response.body.toString("utf8")).toBe("n\u00e9");
    });

    test("without a body has length 0", async () => {
      const server = await serve((exchange) => exchange.response.send(head(200)));
      const client = await connect(server);
      client.write(get + get);
      expect((await client.readResponse()).header("content-length")).toBe("0");
      expect((await client.readResponse()).header("content-length")).toBe("0");
    });

    test("takes no framing or connection fields from the handler", async () => {
      const server = await serve((exchange) => {
        exchange.response.send(head(200, ["Transfer-Encoding", "gzip, chunked"], ["Connection", "X-Foo"], ["Keep-Alive", "timeout=999"]), "ok");
      });
      const client = await connect(server);
      client.write(get);
      const response = await client.readResponse();
      expect(response.framing).toBe("length");
      expect(response.header("connection") ?? "keep-alive").toBe("keep-alive");
      expect(response.header("keep-alive") ?? "").not.toContain("999");
    });

    test("is streamed in chunks when its length is unknown", async () => {
      const server = await serve((exchange) => {
        exchange.response.start(head(200));
        exchange.response.write(Buffer.from("one"));
        exchange.response.write(Buffer.from("two"));
        exchange.response.end();
      });
      const client = await connect(server);
      client.write(get + get);
      for (let i = 0; i < 2; i++) {
        const response = await client.readResponse();
        expect(response.framing).toBe("chunked");
        expect(response.body.toString()).toBe("onetwo");
        expect(response.trailers).toEqual([]);
      }
    });

    test("is streamed by length when that is given", async () => {
      const server = await serve((exchange) => {
        exchange.response.start(head(200, ["Content-Length", "6"]));
        exchange.response.write(Buffer.from("one"));
        setImmediate(() => {
          exchange.response.write(Buffer.from("two"));
          exchange.response.end();
        });
      });
      const client = await connect(server);
      client.write(get + get);
      expect((await client.readResponse()).body.toString()).toBe("onetwo");
      expect((await client.readResponse()).framing).toBe("length");
    });

    test("leaves at flush, before its body", async () => {
      const seen = signal();
      const server = await serve(async (exchange) => {
        exchange.response.start(head(200, ["Content-Type", "text/event-stream"]));
        exchange.response.flush();
        await seen.promise;
        exchange.response.write(Buffer.from("x"));
        exchange.response.flush();
        exchange.response.end();
      });
      const client = await connect(server);
      client.write(get);
      expect((await client.readHead()).status).toBe(200);
      seen.resolve();
      expect(await client.readUntil("0\r\n\r\n")).toBe("1\r\nx\r\n0\r\n\r\n");
    });

    test("carries trailers in chunks", async () => {
      const server = await serve((exchange) => {
        expect(exchange.response.trailersSupported).toBe(true);
        exchange.response.start(head(200, ["Trailer", "X-Sum"]));
        exchange.response.write(Buffer.from("a"));
        exchange.response.end(HeaderList.from([["X-Sum", "1"], ["x-sum", "caf\xe9"]]));
      });
      const client = await connect(server);
      client.write(get + get);
      expect((await client.readResponse()).trailers).toEqual([["X-Sum", "1"], ["x-sum", "caf\xe9"]]);
      expect((await client.readResponse()).body.toString()).toBe("a");
    });

    test("drops fields that may not be trailers", async () => {
      const server = await serve((exchange) => {
        exchange.response.start(head(200));
        exchange.response.write(Buffer.from("a"));
        exchange.response.end(HeaderList.from([["Content-Length", "5"], ["Transfer-Encoding", "chunked"], ["X-Sum", "1"], ["Host", "b"]]));
      });
      const client = await connect(server);
      client.write(get);
      expect((await client.readResponse()).trailers).toEqual([["X-Sum", "1"]]);
    });

    test("with a line that would split it is refused, and nothing of it leaves", async () => {
      const problems: string[] = [];
      const server = await serve((exchange) => {
        for (const [name, value] of [["X-A", "1\r\nX-B: 2"], ["X-A", "1\0"], ["X A", "1"], ["X-A\r\nX-B", "1"]] as const) {
          try {
            exchange.response.start(head(200, [name, value]));
            problems.push(`${JSON.stringify(name)} passed`);
          } catch (error) {
            if (!(error instanceof ExchangeStateError)) problems.push(String(error));
          }
        }
        exchange.response.send(head(200), "ok");
      });
      const client = await connect(server);
      client.write(get);
      const response = await client.readResponse();
      expect([response.body.toString(), response.header("x-b"), problems]).toEqual(["ok", undefined, []]);
    });

    test("drops trailers where they cannot stand", async () => {
      const supported: boolean[] = [];
      const server = await serve((exchange) => {
        exchange.response.start(head(200, ...(exchange.request.path === "/l" ? [["Content-Length", "1"] as [string, string]] : [])));
        supported.push(exchange.response.trailersSupported);
        exchange.response.write(Buffer.from("a"));
        exchange.response.end(HeaderList.from([["X-Sum", "1"]]));
      });
      const client = await connect(server);
      client.write("GET /l HTTP/1.1\r\nHost: a.test\r\n\r\nHEAD /h HTTP/1.1\r\nHost: a.test\r\n\r\n");
      expect((await client.readResponse()).body.toString()).toBe("a");
      expect((await client.readResponse("HEAD")).status).toBe(200);
      const old = await connect(server);
      old.write("GET /o HTTP/1.0\r\n\r\n");
      expect((await old.readResponse()).body.toString()).toBe("a");
      expect(supported).toEqual([false, false, false]);
    });

    test("to HEAD, 204 and 304 has no body, whatever was written", async () => {
      const server = await serve((exchange) => {
        const { path } = exchange.request;
        if (path === "/send") exchange.response.send(head(200), "hello");
        else if (path === "/length") {
          exchange.response.start(head(200, ["Content-Length", "1000"]));
          exchange.response.end();
        } else if (path === "/204") exchange.response.send(head(204), "hello");
        else if (path === "/304") exchange.response.send(head(304, ["Content-Length", "5"], ["ETag", '"x"']), "");
        else {
          exchange.response.start(head(200));
          exchange.response.write(Buffer.from("hello"));
          exchange.response.end();
        }
      });
      const client = await connect(server);
      const request = (method: string, path: string): void => client.write(`${method} ${path} HTTP/1.1\r\nHost: a.test\r\n\r\n`);
      request("HEAD", "/send");
      const sent = await client.readResponse("HEAD");
      expect([sent.status, sent.header("content-length")]).toEqual([200, "5"]);
      request("HEAD", "/length");
      expect((await client.readResponse("HEAD")).header("content-length")).toBe("1000");
      request("HEAD", "/stream");
      expect((await client.readResponse("HEAD")).status).toBe(200);
      request("GET", "/204");
      const empty = await client.readResponse();
      expect([empty.status, empty.header("content-length"), empty.header("transfer-encoding")]).toEqual([204, undefined, undefined]);
      request("GET", "/304");
      expect((await client.readResponse()).header("etag")).toBe('"x"');
      request("GET", "/stream");
      expect((await client.readResponse()).body.toString()).toBe("hello");
    });

    test("may be preceded by informational ones", async () => {
      const server = await serve((exchange) => {
        exchange.response.informational(103, HeaderList.from([["Link", "</a>; rel=preload"], ["Link", "</b>"]]));
        exchange.response.informational(102, new HeaderList());
        expect(exchange.response.started).toBe(false);
        exchange.response.send(head(200), "ok");
        expect(exchange.response.started).toBe(true);
        expect(exchange.response.status).toBe(200);
      });
      const client = await connect(server);
      client.write(get);
      const early = await client.readResponse();
      expect(early.status).toBe(103);
      expect(early.reason).toBe("Early Hints");
      expect(early.headers).toEqual([["Link", "</a>; rel=preload"], ["Link", "</b>"]]);
      expect((await client.readResponse()).status).toBe(102);
      expect((await client.readResponse()).body.toString()).toBe("ok");
    });

    test("asks for a body by an informational 100 only once", async () => {
      const server = await serve((exchange) => {
        exchange.response.informational(100, new HeaderList());
        exchange.body?.read({
          onData: () => true,
          onEnd: () => exchange.response.send(head(200), "ok"),
          onError: (error) => exchange.response.abort(error),
        });
      });
      const client = await connect(server);
      client.write("POST /a HTTP/1.1\r\nHost: a.test\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
      expect((await client.readHead()).status).toBe(100);
      client.write("hello");
      const response = await client.readFinal();
      expect([response.interim, response.status]).toEqual([[], 200]);
    });

    test("to HTTP/1.0 has no informational ones and no chunks, and ends with the connection", async () => {
      const server = await serve((exchange) => {
        exchange.response.informational(103, HeaderList.from([["Link", "</a>"]]));
        exchange.response.start(head(200));
        exchange.response.write(Buffer.from("one"));
        exchange.response.write(Buffer.from("two"));
        exchange.response.end();
      });
      const client = await connect(server);
      client.write("GET /a HTTP/1.0\r\n\r\n");
      const response = await client.readResponse();
      expect([response.status, response.framing, response.header("transfer-encoding")]).toEqual([200, "close", undefined]);
      expect(response.body.toString()).toBe("onetwo");
    });

    test("is held back by a client that does not read", async () => {
      const total = 48 * 1024 * 1024;
      const chunk = Buffer.alloc(64 * 1024, 98);
      let written = 0;
      let drains = 0;
      const full = signal();
      let response: Exchange["response"] | undefined;
      const server = await serve((exchange) => {
        response = exchange.response;
        response.start(head(200, ["Content-Length", String(total)]));
        const fill = (): void => {
          while (written < total) {
            written += chunk.length;
            if (!exchange.response.write(chunk)) {
              if (written < total) full.resolve();
              return;
            }
          }
          exchange.response.end();
        };
        exchange.response.onDrain(() => {
          drains++;
          fill();
        });
        fill();
      }, { minResponseDataRate: undefined });
      const client = await connect(server);
      client.socket.pause();
      client.write(get);
      await full.promise;
      const marker = await connect(server);
      marker.write("GET bad HTTP/1.1\r\n\r\n");
      await marker.readResponse();
      await marker.closed;
      expect(written).toBeLessThan(total);
      expect(response?.pending).toBeGreaterThan(0);
      let size = 0;
      client.socket.removeAllListeners("data");
      client.socket.on("data", (bytes) => {
        size += bytes.length;
      });
      client.socket.resume();
      await until(() => size >= total);
      expect(drains).toBeGreaterThan(0);
      expect(written).toBe(total);
      // Where another thread sends, the client may have the bytes before the server is told.
      await until(() => response?.pending === 0);
    });

    test("with fewer bytes than announced is cut", async () => {
      const server = await serve((exchange) => {
        exchange.response.start(head(200, ["Content-Length", "10"]));
        exchange.response.write(Buffer.from("short"));
        exchange.response.flush();
        setImmediate(() => exchange.response.end());
      });
      const client = await connect(server);
      client.write(get);
      await expect(client.readResponse()).rejects.toBeInstanceOf(ConnectionCutError);
      await client.closed;
    });

    test("with more bytes than announced is cut, and the surplus never leaves", async () => {
      const server = await serve((exchange) => {
        exchange.response.start(head(200, ["Content-Length", "5"]));
        exchange.response.write(Buffer.from("hel"));
        exchange.response.flush();
        setImmediate(() => {
          exchange.response.write(Buffer.from("lo and more"));
          exchange.response.end();
        });
      });
      const client = await connect(server);
      client.write(get);
      const received = await client.readUntil("more").catch((error: ConnectionCutError) => error.received);
      expect(received).not.toContain("and more");
      await client.closed;
    });

    test("that is aborted never looks whole", async () => {
      const server = await serve((exchange) => {
        const { path } = exchange.request;
        if (path !== "/before") {
          exchange.response.start(head(200));
          exchange.response.write(Buffer.from("part"));
          exchange.response.flush();
        }
        setImmediate(() => {
          exchange.response.abort(new Error("no more"));
          exchange.response.abort(new Error("twice"));
        });
      });
      for (const version of ["1.1", "1.0"]) {
        for (const path of ["/before", "/during"]) {
          const client = await connect(server);
          client.write(`GET ${path} HTTP/${version}\r\nHost: a.test\r\n\r\n`);
          await expect(client.readResponse()).rejects.toBeInstanceOf(ConnectionCutError);
          await client.closed;
        }
      }
      await until(() => server.connectionCount === 0);
    });

    test("refuses calls out of order", async () => {
      const problems: string[] = [];
      const server = await serve((exchange) => {
        const { response } = exchange;
        const refused = (what: string, call: () => void): void => {
          try {
            call();
            problems.push(`${what} passed`);
          } catch (error) {
            if (!(error instanceof ExchangeStateError)) problems.push(`${what}: ${String(error)}`);
          }
        };
        refused("write before start", () => response.write(Buffer.from("a")));
        refused("end before start", () => response.end());
        response.start(head(200));
        refused("start twice", () => response.start(head(200)));
        refused("send after start", () => response.send(head(200), ""));
        refused("informational after start", () => response.informational(103, new HeaderList()));
        response.write(Buffer.from("ok"));
        response.end();
        expect(response.ended).toBe(true);
        refused("write after end", () => response.write(Buffer.from("a")));
        refused("end twice", () => response.end());
        refused("start after end", () => response.start(head(200)));
      });
      const client = await connect(server);
      client.write(get);
      expect((await client.readResponse()).body.toString()).toBe("ok");
      expect(problems).toEqual([]);
    });
  },
};
