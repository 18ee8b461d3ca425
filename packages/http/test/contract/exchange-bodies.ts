import { expect } from "vitest";
import { BadRequestError, ExchangeStateError, HeaderList, type Exchange } from "../../src/index.ts";
import type { ContractPart } from "./exchange-bench.ts";
import { collect, signal, turns, until, BodyCollector } from "./recorders.ts";

const ok = { status: 200, headers: new HeaderList() };
const echo = async (exchange: Exchange): Promise<void> => {
  const { bytes, trailers } = await collect(exchange.body);
  exchange.response.send({ status: 200, headers: HeaderList.from([["X-Trailers", String(trailers?.toRaw())]]) }, bytes);
};

/** Request bodies: framing, backpressure, limits, and what happens to one that nobody reads. */
export const bodies: ContractPart = {
  title: "request body",
  define({ test, serve, connect }) {
    test("with Content-Length arrives whole", async () => {
      let length: number | undefined;
      const server = await serve((exchange) => {
        length = exchange.body?.length;
        return echo(exchange);
      });
      const client = await connect(server);
      client.write("POST /a HTTP/1.1\r\nHost: a.test\r\nContent-Length: 10\r\n\r\nhello");
      await turns(3);
      client.write("world");
      expect((await client.readResponse()).body.toString()).toBe("helloworld");
      expect(length).toBe(10);
    });

    test("of length 0 is a body", async () => {
      let length: number | undefined;
      const server = await serve((exchange) => {
        length = exchange.body?.length;
        return echo(exchange);
      });
      const client = await connect(server);
      client.write("POST /a HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\n\r\n");
      expect((await client.readResponse()).status).toBe(200);
      expect(length).toBe(0);
    });

    test("in chunks arrives whole, with its trailers", async () => {
      let length: number | undefined = 1;
      const server = await serve((exchange) => {
        length = exchange.body?.length;
        return echo(exchange);
      });
      const client = await connect(server);
      client.write("POST /a HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n00a\r\n0123456789\r\n0\r\nX-Sum: 1\r\nx-sum: 2\r\n\r\n");
      const response = await client.readResponse();
      expect(response.body.toString()).toBe("hello0123456789");
      expect(response.header("x-trailers")).toBe("X-Sum,1,x-sum,2");
      expect(length).toBeUndefined();
    });

    test("is the same wherever its bytes are cut", async () => {
      const server = await serve(echo);
      const request = Buffer.from("POST /a HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nX: 1\r\n\r\n");
      const client = await connect(server);
      for (let cut = 1; cut < request.length; cut++) {
        await client.sent(request.subarray(0, cut));
        await turns(1);
        client.write(request.subarray(cut));
        const response = await client.readResponse();
        expect([response.status, response.body.toString(), response.header("x-trailers")]).toEqual([200, "hello", "X,1"]);
      }
    });

    test("of a GET arrives as well", async () => {
      const server = await serve(echo);
      const client = await connect(server);
      client.write("GET /a HTTP/1.1\r\nHost: a.test\r\nContent-Length: 2\r\n\r\nhi");
      expect((await client.readResponse()).body.toString()).toBe("hi");
    });

    test("comes to nobody while it is paused", async () => {
      const total = 600_000;
      let paused = false;
      let early = 0;
      let size = 0;
      const server = await serve((exchange) => {
        const body = exchange.body as NonNullable<Exchange["body"]>;
        body.read({
          onData(chunk) {
            if (paused) early++;
            size += chunk.length;
            paused = true;
            body.pause();
            setImmediate(() => {
              paused = false;
              body.resume();
            });
          },
          onEnd: () => exchange.response.send(ok, String(size)),
          onError: (error) => exchange.response.abort(error),
        });
      });
      const client = await connect(server);
      client.write(`POST /a HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${total}\r\n\r\n`);
      client.write(Buffer.alloc(total, 97));
      expect((await client.readResponse()).body.toString()).toBe(String(total));
      expect(early).toBe(0);
    });

    test("that is held back before it is read comes when its reader goes on", async () => {
      const collector = new BodyCollector();
      const server = await serve(async (exchange) => {
        const body = exchange.body as NonNullable<Exchange["body"]>;
        body.pause();
        body.read(collector);
        await turns(5);
        const early = collector.size;
        body.resume();
        await collector.done;
        exchange.response.send(ok, `${early} ${collector.size}`);
      });
      const client = await connect(server);
      client.write("POST /a HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhello");
      expect((await client.readResponse()).body.toString()).toBe("0 5");
    });

    test("is left with the client while the reader holds it back", async () => {
      const total = 48 * 1024 * 1024;
      const collector = new BodyCollector();
      const started = signal();
      let held: Exchange | undefined;
      const server = await serve(async (exchange) => {
        if (exchange.request.path === "/marker") {
          exchange.response.send(ok, "");
          return;
        }
        held = exchange;
        const body = exchange.body as NonNullable<Exchange["body"]>;
        const onData = collector.onData.bind(collector);
        collector.onData = (chunk) => {
          collector.chunks.length = 0;
          if (collector.size === 0) body.pause();
          started.resolve();
          return onData(chunk);
        };
        body.read(collector);
        await collector.done;
        exchange.response.send(ok, String(collector.size));
      }, { maxRequestBodySize: undefined, minRequestBodyDataRate: undefined });
      const client = await connect(server);
      client.write(`POST /a HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${total}\r\n\r\n`);
      client.write(Buffer.alloc(total, 97));
      await started.promise;
      const marker = await connect(server);
      for (let i = 0; i < 50; i++) {
        marker.write("GET /marker HTTP/1.1\r\nHost: a.test\r\n\r\n");
        await marker.readResponse();
      }
      expect(client.socket.writableLength).toBeGreaterThan(0);
      expect(collector.size).toBeLessThan(4 * 1024 * 1024);
      held?.body?.resume();
      expect((await client.readResponse()).body.toString()).toBe(String(total));
    });

    test("is read once only; pausing and cancelling at any time harms nothing", async () => {
      const server = await serve(async (exchange) => {
        const body = exchange.body as NonNullable<Exchange["body"]>;
        expect(body.started).toBe(false);
        const bytes = collect(body);
        expect(body.started).toBe(true);
        expect(() => body.read(new BodyCollector())).toThrow();
        await bytes;
        body.pause();
        body.pause();
        body.resume();
        body.cancel();
        body.cancel();
        exchange.response.send(ok, "fine");
      });
      const client = await connect(server);
      client.write("POST /a HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhello");
      expect((await client.readResponse()).body.toString()).toBe("fine");
    });

    test("that was cancelled while it came calls nobody any more", async () => {
      const first = signal();
      const collector = new BodyCollector();
      const server = await serve(async (exchange) => {
        const body = exchange.body as NonNullable<Exchange["body"]>;
        body.read(collector);
        await collector.first;
        body.cancel();
        first.resolve();
        await turns(5);
        exchange.response.send(ok, "enough");
      });
      const client = await connect(server);
      client.write("POST /a HTTP/1.1\r\nHost: a.test\r\nContent-Length: 10\r\n\r\nhello");
      await first.promise;
      client.write("world");
      expect((await client.readResponse()).body.toString()).toBe("enough");
      expect(collector.size).toBe(5);
      expect(collector.finals).toBe(0);
    });

    test("that was cancelled before it was read is read by nobody", async () => {
      const server = await serve((exchange) => {
        const body = exchange.body as NonNullable<Exchange["body"]>;
        body.cancel();
        expect(body.started).toBe(true);
        expect(() => body.read(new BodyCollector())).toThrow(ExchangeStateError);
        exchange.response.send(ok, "unread");
      });
      const client = await connect(server);
      client.write("POST /a HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhello");
      expect((await client.readResponse()).body.toString()).toBe("unread");
    });

    test("that nobody reads is never taken for the next request", async () => {
      const paths: string[] = [];
      const server = await serve((exchange) => {
        paths.push(exchange.request.path);
        exchange.response.send(ok, exchange.request.path);
      });
      const client = await connect(server);
      const hidden = "GET /hidden HTTP/1.1\r\nHost: a.test\r\n\r\n";
      client.write(`POST /first HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${hidden.length}\r\n\r\n${hidden}GET /second HTTP/1.1\r\nHost: a.test\r\n\r\n`);
      const response = await client.readResponse();
      expect(response.body.toString()).toBe("/first");
      if (response.header("connection")?.toLowerCase() === "close") await client.closed;
      else expect((await client.readResponse()).body.toString()).toBe("/second");
      expect(paths).not.toContain("/hidden");
    });

    test("may still be on its way when the response is over", async () => {
      const server = await serve((exchange) => exchange.response.send(ok, "early"));
      const client = await connect(server);
      client.write("POST /a HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\n");
      const response = await client.readResponse();
      expect(response.body.toString()).toBe("early");
      client.write("helloGET /next HTTP/1.1\r\nHost: a.test\r\n\r\n");
      if (response.header("connection")?.toLowerCase() === "close") await client.closed;
      else expect((await client.readResponse()).body.toString()).toBe("early");
    });

    test("can be read while the response is written", async () => {
      const server = await serve((exchange) => {
        exchange.response.start({ status: 200, headers: new HeaderList() });
        exchange.response.flush();
        exchange.body?.read({
          onData: (chunk) => void exchange.response.write(Buffer.from(chunk)),
          onEnd: () => exchange.response.end(),
          onError: (error) => exchange.response.abort(error),
        });
      });
      const client = await connect(server);
      client.write("POST /a HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n");
      expect((await client.readHead()).status).toBe(200);
      client.write("4\r\nping\r\n");
      expect(await client.readUntil("ping\r\n")).toBe("4\r\nping\r\n");
      client.write("4\r\npong\r\n0\r\n\r\n");
      expect(await client.readUntil("0\r\n\r\n")).toBe("4\r\npong\r\n0\r\n\r\n");
    });

    test("longer than the limit by its Content-Length is refused with 413", async () => {
      const seen = signal<Error>();
      const server = await serve(async (exchange) => {
        try {
          await collect(exchange.body);
        } catch (error) {
          seen.resolve(error as Error);
          throw error;
        }
      }, { maxRequestBodySize: 4 });
      const client = await connect(server);
      client.write("POST /a HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhello");
      const response = await client.readResponse();
      expect(response.status).toBe(413);
      expect(response.header("connection")).toBe("close");
      const error = await seen.promise;
      expect(error).toBeInstanceOf(BadRequestError);
      expect((error as BadRequestError).status).toBe(413);
      await client.closed;
    });

    test("that grows beyond the limit in chunks is refused with 413", async () => {
      const server = await serve(echo, { maxRequestBodySize: 8 });
      const client = await connect(server);
      client.write("POST /a HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n");
      const response = await client.readResponse();
      expect(response.status).toBe(413);
      expect(response.header("connection")).toBe("close");
      await client.closed;
    });

    test("up to the limit passes", async () => {
      const server = await serve(echo, { maxRequestBodySize: 5 });
      const client = await connect(server);
      client.write("POST /a HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
      expect((await client.readResponse()).body.toString()).toBe("hello");
    });

    test("has a limit that the handler can change until the body is read", async () => {
      const server = await serve(async (exchange) => {
        const limit = exchange.features.bodyLimit;
        if (limit === undefined) throw new Error("no body limit feature");
        expect(limit.maximum).toBe(4);
        expect(limit.readOnly).toBe(false);
        expect(limit.chosen).toBe(false);
        limit.set(5);
        expect(limit.chosen).toBe(true);
        const done = echo(exchange);
        expect(limit.readOnly).toBe(true);
        expect(() => limit.set(6)).toThrow();
        await done;
      }, { maxRequestBodySize: 4 });
      const client = await connect(server);
      client.write("POST /a HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhello");
      expect((await client.readResponse()).body.toString()).toBe("hello");
    });

    test("with a broken chunk is an error to its reader, refused with 400", async () => {
      const server = await serve(echo);
      const client = await connect(server);
      client.write("POST /a HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
      await turns(3);
      client.write("zz\r\n");
      expect((await client.readResponse()).status).toBe(400);
      await client.closed;
    });

    test("that ends early by a FIN is an error to its reader", async () => {
      const failed = signal<Error>();
      const server = await serve((exchange) => {
        collect(exchange.body).catch((error: Error) => {
          failed.resolve(error);
          exchange.response.abort(error);
        });
      });
      const client = await connect(server);
      client.write("POST /a HTTP/1.1\r\nHost: a.test\r\nContent-Length: 50\r\n\r\nshort");
      client.end();
      expect(await failed.promise).toBeInstanceOf(Error);
      await client.closed;
      await until(() => server.connectionCount === 0);
    });

    test("slower than the minimum rate is refused with 408", async () => {
      const server = await serve(echo, { minRequestBodyDataRate: { bytesPerSecond: 1000, gracePeriod: 50 } });
      const client = await connect(server);
      client.write("POST /a HTTP/1.1\r\nHost: a.test\r\nContent-Length: 50\r\n\r\nshort");
      expect((await client.readResponse()).status).toBe(408);
      await client.closed;
    });

    test("announced with Expect: 100-continue is asked for when it is read", async () => {
      const server = await serve(async (exchange) => {
        await turns(5);
        await echo(exchange);
      });
      const client = await connect(server);
      client.write("POST /a HTTP/1.1\r\nHost: a.test\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
      expect((await client.readHead()).status).toBe(100);
      client.write("hello");
      expect((await client.readResponse()).body.toString()).toBe("hello");
    });

    test("announced with Expect: 100-continue is not asked for when nobody reads it", async () => {
      const server = await serve((exchange) => exchange.response.send({ status: 403, headers: new HeaderList() }, "no"));
      const client = await connect(server);
      client.write("POST /a HTTP/1.1\r\nHost: a.test\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
      const response = await client.readFinal();
      expect(response.interim).toEqual([]);
      expect(response.status).toBe(403);
    });

    test("of HTTP/1.0 gets no 100", async () => {
      const server = await serve(echo);
      const client = await connect(server);
      client.write("POST /a HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello");
      const response = await client.readFinal();
      expect(response.interim).toEqual([]);
      expect(response.body.toString()).toBe("hello");
    });
  },
};
