import { expect } from "vitest";
import { HeaderList, type Exchange } from "../../src/index.ts";
import type { ContractPart } from "./exchange-bench.ts";
import { ConnectionCutError } from "./raw-client.ts";
import { collect, signal, turns, until } from "./recorders.ts";

const head = (status: number, ...pairs: [string, string][]) => ({ status, headers: HeaderList.from(pairs) });
const get = "GET /a HTTP/1.1\r\nHost: a.test\r\n\r\n";

/** Counts how often each ending was told. */
function watch(exchange: Exchange): { gone: number; complete: number; completed: Promise<void> } {
  const done = signal();
  const seen = { gone: 0, complete: 0, completed: done.promise };
  exchange.onClientGone((cause) => {
    expect(cause).toBeInstanceOf(Error);
    seen.gone++;
  });
  exchange.onComplete(() => {
    seen.complete++;
    done.resolve();
  });
  return seen;
}

/** Every way in which an exchange can end, and that it ends once. */
export const endings: ContractPart = {
  title: "ending",
  define({ test, serve, connect }) {
    test("by send, end and HEAD completes once, without the client gone", async () => {
      const seen: ReturnType<typeof watch>[] = [];
      const server = await serve((exchange) => {
        seen.push(watch(exchange));
        if (exchange.request.path === "/send") exchange.response.send(head(200), "x");
        else {
          exchange.response.start(head(200));
          exchange.response.write(Buffer.from("x"));
          exchange.response.end();
        }
      });
      const client = await connect(server);
      client.write("GET /send HTTP/1.1\r\nHost: a\r\n\r\nGET /end HTTP/1.1\r\nHost: a\r\n\r\nHEAD /end HTTP/1.1\r\nHost: a\r\n\r\n");
      await client.readResponse();
      await client.readResponse();
      await client.readResponse("HEAD");
      await Promise.all(seen.map((each) => each.completed));
      client.destroy();
      await until(() => server.connectionCount === 0);
      await turns(3);
      expect(seen.map(({ gone, complete }) => [gone, complete])).toEqual([[0, 1], [0, 1], [0, 1]]);
    });

    test("by a reset before the response tells the client gone and completes once", async () => {
      let seen: ReturnType<typeof watch> | undefined;
      const arrived = signal<Exchange>();
      const server = await serve((exchange) => {
        seen = watch(exchange);
        arrived.resolve(exchange);
      });
      const client = await connect(server);
      client.write(get);
      const exchange = await arrived.promise;
      client.reset();
      await seen?.completed;
      expect([seen?.gone, seen?.complete]).toEqual([1, 1]);
      expect(exchange.response.ended).toBe(true);
      exchange.response.informational(103, new HeaderList());
      exchange.response.send(head(200), "late");
      exchange.response.start(head(200));
      exchange.response.write(Buffer.from("late"));
      exchange.response.flush();
      exchange.response.end();
      exchange.response.abort(new Error("late"));
      await turns(3);
      expect([seen?.gone, seen?.complete]).toEqual([1, 1]);
    });

    test("by a client that leaves during the response body is told", async () => {
      for (const leave of ["reset", "destroy"] as const) {
        let seen: ReturnType<typeof watch> | undefined;
        const server = await serve((exchange) => {
          seen = watch(exchange);
          exchange.response.start(head(200));
          const beat = setInterval(() => exchange.response.write(Buffer.from("tick")), 1);
          exchange.onComplete(() => clearInterval(beat));
        });
        const client = await connect(server);
        client.write(get);
        await client.readUntil("tick");
        client[leave]();
        await seen?.completed;
        expect([seen?.gone, seen?.complete]).toEqual([1, 1]);
      }
    });

    test("by a client that leaves during the request body fails the body and is told", async () => {
      let seen: ReturnType<typeof watch> | undefined;
      const failed = signal<Error>();
      const began = signal();
      const server = await serve((exchange) => {
        seen = watch(exchange);
        exchange.body?.read({ onData: () => began.resolve(), onEnd: () => failed.reject(new Error("ended")), onError: failed.resolve });
      });
      const client = await connect(server);
      client.write("POST /a HTTP/1.1\r\nHost: a.test\r\nContent-Length: 10\r\n\r\nhello");
      await began.promise;
      client.reset();
      expect(await failed.promise).toBeInstanceOf(Error);
      await seen?.completed;
      expect([seen?.gone, seen?.complete]).toEqual([1, 1]);
    });

    test("by a client that leaves before the body is read fails the body when it is read", async () => {
      const arrived = signal<Exchange>();
      let seen: ReturnType<typeof watch> | undefined;
      const server = await serve((exchange) => {
        seen = watch(exchange);
        arrived.resolve(exchange);
      });
      const client = await connect(server);
      client.write("POST /a HTTP/1.1\r\nHost: a.test\r\nContent-Length: 10\r\n\r\nhello");
      const exchange = await arrived.promise;
      client.reset();
      await seen?.completed;
      await expect(collect(exchange.body)).rejects.toBeInstanceOf(Error);
      expect([seen?.gone, seen?.complete]).toEqual([1, 1]);
    });

    test("by a client that leaves while the body is paused is told", async () => {
      let seen: ReturnType<typeof watch> | undefined;
      const began = signal();
      const server = await serve((exchange) => {
        seen = watch(exchange);
        exchange.body?.read({
          onData() {
            exchange.body?.pause();
            began.resolve();
          },
          onEnd: () => undefined,
          onError: () => undefined,
        });
      });
      const client = await connect(server);
      client.write("POST /a HTTP/1.1\r\nHost: a.test\r\nContent-Length: 10\r\n\r\nhello");
      await began.promise;
      client.reset();
      await seen?.completed;
      expect([seen?.gone, seen?.complete]).toEqual([1, 1]);
    });

    test("by a reset right after connecting, during the head, and between requests disturbs nobody", async () => {
      const server = await serve((exchange) => exchange.response.send(head(200), "ok"));
      (await connect(server)).reset();
      const partial = await connect(server);
      await partial.sent("GET / HT");
      partial.reset();
      const idle = await connect(server);
      idle.write(get);
      await idle.readResponse();
      idle.reset();
      await until(() => server.connectionCount === 0);
      const client = await connect(server);
      client.write(get);
      expect((await client.readResponse()).body.toString()).toBe("ok");
    });

    test("by a client that leaves with answers still owed to pipelined requests is told to the one under way", async () => {
      const arrived = signal<Exchange>();
      let seen: ReturnType<typeof watch> | undefined;
      const server = await serve((exchange) => {
        seen ??= watch(exchange);
        arrived.resolve(exchange);
      });
      const client = await connect(server);
      client.write(get + get + get);
      await arrived.promise;
      client.reset();
      await seen?.completed;
      expect([seen?.gone, seen?.complete]).toEqual([1, 1]);
    });

    test("by abort completes once, without the client gone", async () => {
      const seen: ReturnType<typeof watch>[] = [];
      const server = await serve((exchange) => {
        seen.push(watch(exchange));
        exchange.response.abort(new Error("enough"));
        expect(exchange.response.ended).toBe(true);
        exchange.response.send(head(200), "late");
        exchange.response.write(Buffer.from("late"));
        exchange.response.end();
      });
      const client = await connect(server);
      client.write(get);
      await expect(client.readResponse()).rejects.toBeInstanceOf(ConnectionCutError);
      await Promise.all(seen.map((each) => each.completed));
      await turns(3);
      expect(seen.map(({ gone, complete }) => [gone, complete])).toEqual([[0, 1]]);
    });

    test("by a handler that throws or rejects is a 500, told to onFault", async () => {
      const server = await serve((exchange) => {
        if (exchange.request.path === "/throw") throw new Error("thrown");
        return Promise.reject(new Error("rejected"));
      });
      for (const path of ["/throw", "/reject"]) {
        const client = await connect(server);
        client.write(`GET ${path} HTTP/1.1\r\nHost: a.test\r\n\r\n`);
        const response = await client.readResponse();
        expect(response.status).toBe(500);
        expect(response.body.toString()).not.toMatch(/thrown|rejected/);
      }
      expect(server.faults.map((fault) => fault.message)).toEqual(["thrown", "rejected"]);
    });

    test("by a handler that throws after the start is a cut", async () => {
      const server = await serve(async (exchange) => {
        exchange.response.start(head(200));
        exchange.response.write(Buffer.from("part"));
        await turns(2);
        throw new Error("thrown");
      });
      const client = await connect(server);
      client.write(get);
      await expect(client.readResponse()).rejects.toBeInstanceOf(ConnectionCutError);
      expect(server.faults.map((fault) => fault.message)).toEqual(["thrown"]);
    });

    test("by a handler that throws after the end leaves the answer whole", async () => {
      const server = await serve((exchange) => {
        exchange.response.send(head(200), "ok");
        throw new Error("thrown");
      });
      const client = await connect(server);
      client.write(get);
      expect((await client.readResponse()).body.toString()).toBe("ok");
    });

    test("is told at once to a listener that comes late", async () => {
      const server = await serve(async (exchange) => {
        exchange.response.send(head(200), "ok");
        await new Promise<void>((resolve) => exchange.onComplete(resolve));
        let calls = 0;
        exchange.onComplete(() => calls++);
        if (calls !== 1) throw new Error("not called at once");
      });
      const client = await connect(server);
      client.write(get);
      await client.readResponse();
      client.end();
      await client.closed;
      expect(server.faults).toEqual([]);
    });

    test("by a client gone is told at once to a listener that comes late", async () => {
      const arrived = signal<Exchange>();
      const server = await serve((exchange) => arrived.resolve(exchange));
      const client = await connect(server);
      client.write(get);
      const exchange = await arrived.promise;
      client.reset();
      await new Promise<void>((resolve) => exchange.onComplete(resolve));
      let causes = 0;
      exchange.onClientGone(() => causes++);
      expect(causes).toBe(1);
    });

    test("by a reset after any byte of a request leaves nothing behind", async () => {
      const begun: string[] = [];
      let completed = 0;
      const server = await serve(async (exchange) => {
        begun.push(exchange.request.path);
        exchange.onComplete(() => completed++);
        const { bytes } = await collect(exchange.body);
        exchange.response.start(head(200));
        exchange.response.write(bytes);
        await turns(1);
        exchange.response.end();
      });
      const post = (path: string): Buffer =>
        Buffer.from(`POST ${path} HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: 1\r\n\r\n`);
      const request = post("/a");
      for (let cut = 1; cut <= request.length; cut++) {
        const client = await connect(server);
        await client.sent(request.subarray(0, cut));
        client.reset();
      }
      await until(() => server.connectionCount === 0 && begun.length === completed);
      const client = await connect(server);
      client.write(post("/b"));
      expect((await client.readResponse()).body.toString()).toBe("hello");
      // How many of the resets came after their request was read, and when HTTP.sys hands those out, is a matter of threads.
      expect(begun.filter((path) => path === "/b")).toEqual(["/b"]);
      await until(() => begun.length === completed);
    });
  },
};
