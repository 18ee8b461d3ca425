import { expect } from "vitest";
import { HeaderList, type Exchange } from "../../src/index.ts";
import type { ContractPart } from "./exchange-bench.ts";
import { RawClient } from "./raw-client.ts";
import { signal, turns, until } from "./recorders.ts";

const head = (status: number, ...pairs: [string, string][]) => ({ status, headers: HeaderList.from(pairs) });
const get = (path: string, ...lines: string[]): string => `GET ${path} HTTP/1.1\r\nHost: a.test\r\n${lines.map((line) => `${line}\r\n`).join("")}\r\n`;
const path = (exchange: Exchange): void => exchange.response.send(head(200), exchange.request.path);

/** Several requests on a connection, and how connections end. */
export const connections: ContractPart = {
  title: "connection",
  define({ test, serve, connect }) {
    test("is used again, and keeps its id", async () => {
      const ids: number[] = [];
      const server = await serve((exchange) => {
        ids.push(exchange.connection.id);
        path(exchange);
      });
      const client = await connect(server);
      for (const target of ["/1", "/2", "/3"]) {
        client.write(get(target));
        expect((await client.readResponse()).body.toString()).toBe(target);
      }
      const other = await connect(server);
      other.write(get("/4"));
      await other.readResponse();
      expect(server.connectionCount).toBe(2);
      expect([ids[0], ids[1]]).toEqual([ids[1], ids[2]]);
      expect(ids[3]).not.toBe(ids[0]);
    });

    test("answers pipelined requests in order", async () => {
      const server = await serve(async (exchange) => {
        await turns(exchange.request.path === "/0" ? 20 : 1);
        if (exchange.request.path === "/2") {
          exchange.response.start(head(200));
          exchange.response.write(Buffer.from("/"));
          await turns(3);
          exchange.response.write(Buffer.from("2"));
          exchange.response.end();
        } else path(exchange);
      });
      const client = await connect(server);
      client.write([0, 1, 2, 3, 4, 5, 6, 7].map((i) => get(`/${i}`)).join(""));
      for (let i = 0; i < 8; i++) expect((await client.readResponse()).body.toString()).toBe(`/${i}`);
    });

    test("answers pipelined requests with bodies in order", async () => {
      const server = await serve((exchange) => {
        let text = "";
        exchange.body?.read({
          onData: (chunk) => void (text += Buffer.from(chunk).toString()),
          onEnd: () => exchange.response.send(head(200), text),
          onError: (error) => exchange.response.abort(error),
        });
      });
      const client = await connect(server);
      const one = "POST /1 HTTP/1.1\r\nHost: a.test\r\nContent-Length: 3\r\n\r\none";
      const two = "POST /2 HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\ntwo\r\n0\r\n\r\n";
      client.write(one + two + one);
      for (const text of ["one", "two", "one"]) expect((await client.readResponse()).body.toString()).toBe(text);
    });

    test("is closed after the answer when the client asks for it", async () => {
      const server = await serve(path);
      const client = await connect(server);
      client.write(get("/1", "Connection: Close"));
      const response = await client.readResponse();
      expect(response.header("connection")).toBe("close");
      expect(await client.closed).toBe("end");
      await until(() => server.connectionCount === 0);
    });

    test("is closed after the answer to a request that follows Connection: close", async () => {
      const paths: string[] = [];
      const server = await serve((exchange) => {
        paths.push(exchange.request.path);
        path(exchange);
      });
      const client = await connect(server);
      client.write(get("/1", "Connection: close") + get("/2"));
      expect((await client.readResponse()).body.toString()).toBe("/1");
      await client.ended;
      expect(client.pending).toBe("");
      expect(paths).toEqual(["/1"]);
    });

    test("is closed after the answer to HTTP/1.0 that did not ask to keep it", async () => {
      const server = await serve(path);
      const client = await connect(server);
      client.write("GET /1 HTTP/1.0\r\n\r\n");
      expect((await client.readResponse()).body.toString()).toBe("/1");
      expect(await client.closed).toBe("end");
    });

    test("whose client half-closed after its request still gets the answer", async () => {
      const server = await serve(async (exchange) => {
        await turns(10);
        path(exchange);
      });
      const client = await connect(server);
      client.write(get("/1"));
      client.end();
      expect((await client.readResponse()).body.toString()).toBe("/1");
      await client.closed;
      await until(() => server.connectionCount === 0);
    });

    test("whose client half-closed still gets a streamed answer", async () => {
      const gone: Error[] = [];
      const server = await serve(async (exchange) => {
        exchange.onClientGone((cause) => gone.push(cause));
        await turns(5);
        exchange.response.start(head(200));
        for (let i = 0; i < 5; i++) {
          exchange.response.write(Buffer.from(String(i)));
          exchange.response.flush();
          await turns(3);
        }
        exchange.response.end();
      });
      const client = await connect(server);
      client.write(get("/1"));
      client.end();
      expect((await client.readResponse()).body.toString()).toBe("01234");
      expect(gone).toEqual([]);
    });

    test("whose client half-closed and then waits in vain counts as gone after a while", async () => {
      const gone = signal<Error>();
      const server = await serve((exchange) => exchange.onClientGone(gone.resolve), { halfClosedTimeout: 30 });
      const client = await connect(server);
      client.write(get("/1"));
      client.end();
      expect(await gone.promise).toBeInstanceOf(Error);
      await client.closed;
    });

    test("that sends nothing is closed after the head timeout", async () => {
      const server = await serve(path, { requestHeadersTimeout: 50, keepAliveTimeout: 50 });
      const client = await connect(server);
      await client.ended;
      await until(() => server.connectionCount === 0);
    });

    test("that sends half a head gets 408 after the head timeout", async () => {
      const server = await serve(path, { requestHeadersTimeout: 50 });
      const client = await connect(server);
      client.write("GET / HTTP/1.1\r\nHost: a");
      expect((await client.readResponse()).status).toBe(408);
      await client.ended;
    });

    test("that idles after a request is closed without a word after the keep-alive timeout", async () => {
      const server = await serve(path, { keepAliveTimeout: 50 });
      const client = await connect(server);
      client.write(get("/1"));
      await client.readResponse();
      await client.ended;
      expect(client.pending).toBe("");
    });

    test("is closed after the most requests that one may carry", async () => {
      const server = await serve(path, { maxRequestsPerConnection: 2 });
      const client = await connect(server);
      client.write(get("/1"));
      expect((await client.readResponse()).header("connection") ?? "keep-alive").toBe("keep-alive");
      client.write(get("/2"));
      expect((await client.readResponse()).header("connection")).toBe("close");
      await client.ended;
    });

    test("beyond the most that may be open is closed at once", async () => {
      const server = await serve(path, { maxConcurrentConnections: 1 });
      const first = await connect(server);
      first.write(get("/1"));
      await first.readResponse();
      const second = await connect(server);
      await second.closed;
      first.write(get("/2"));
      expect((await first.readResponse()).body.toString()).toBe("/2");
      expect(server.connectionCount).toBe(1);
    });

    test("of a slow reader is reset below the minimum rate", async () => {
      const gone = signal<Error>();
      const server = await serve((exchange) => {
        exchange.onClientGone(gone.resolve);
        exchange.response.start(head(200));
        const chunk = Buffer.alloc(1024 * 1024);
        for (let i = 0; i < 48; i++) exchange.response.write(chunk);
      }, { minResponseDataRate: { bytesPerSecond: 100_000_000, gracePeriod: 50 } });
      const client = await connect(server);
      client.socket.pause();
      client.write(get("/1"));
      expect(await gone.promise).toBeInstanceOf(Error);
      await until(() => server.connectionCount === 0);
    });

    test("closes gracefully: requests under way are answered, idle connections and new ones are not kept", async () => {
      const release = signal();
      const arrived = signal();
      const server = await serve(async (exchange) => {
        if (exchange.request.path === "/held") {
          arrived.resolve();
          await release.promise;
        }
        path(exchange);
      });
      const idle = await connect(server);
      idle.write(get("/1"));
      await idle.readResponse();
      const busy = await connect(server);
      busy.write(get("/held"));
      await arrived.promise;
      let closed = false;
      const closing = server.close().then(() => {
        closed = true;
      });
      await idle.ended;
      await expect(RawClient.open(server.port)).rejects.toThrow();
      expect(closed).toBe(false);
      release.resolve();
      const response = await busy.readResponse();
      expect(response.body.toString()).toBe("/held");
      expect(response.header("connection")).toBe("close");
      await busy.ended;
      await closing;
      expect(server.connectionCount).toBe(0);
    });

    test("is cut when the grace period of close is over", async () => {
      const gone = signal<Error>();
      const arrived = signal();
      const server = await serve((exchange) => {
        exchange.onClientGone(gone.resolve);
        arrived.resolve();
      });
      const client = await connect(server);
      client.write(get("/1"));
      await arrived.promise;
      await server.close(20);
      expect(await gone.promise).toBeInstanceOf(Error);
      await client.closed;
      expect(server.connectionCount).toBe(0);
    });
  },
};
