import { expect } from "vitest";
import { HeaderList, type Exchange, type Tunnel } from "../../src/index.ts";
import type { ContractPart } from "./exchange-bench.ts";
import { BodyCollector, signal, turns, until } from "./recorders.ts";

const ask = "GET /ws HTTP/1.1\r\nHost: a.test\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n";

/** The answer that takes the upgrade, as its version has it; undefined when none is offered. */
function accept({ features: { upgrade } }: Exchange): Tunnel | undefined {
  const headers = HeaderList.from([["Upgrade", "websocket"], ["Sec-WebSocket-Accept", "x"]]);
  return upgrade?.accept({ status: upgrade.kind === "http2" ? 200 : 101, headers });
}

/** Leaving HTTP: the switch, bytes both ways, half-close and cuts. */
export const upgrades: ContractPart = {
  title: "upgrade",
  define({ test, serve, connect }) {
    /** A server that accepts and hands the tunnel to the test. */
    async function tunnelled(sink: BodyCollector) {
      const opened = signal<{ tunnel: Tunnel; exchange: Exchange }>();
      const completed = signal();
      let completions = 0;
      const server = await serve((exchange) => {
        exchange.onComplete(() => {
          completions++;
          completed.resolve();
        });
        const tunnel = accept(exchange);
        if (tunnel === undefined) throw new Error("no upgrade feature");
        tunnel.read(sink);
        opened.resolve({ tunnel, exchange });
      });
      return { server, opened: opened.promise, completed: completed.promise, completions: () => completions };
    }

    test("is offered only when the client asks for it", async () => {
      const server = await serve((exchange) => {
        const { upgrade } = exchange.features;
        exchange.response.send({ status: 200, headers: new HeaderList() }, `${upgrade?.kind} ${upgrade?.protocol}`);
      });
      const answers: string[] = [];
      for (const lines of [
        "Connection: Upgrade\r\nUpgrade: websocket\r\n",
        "Upgrade: websocket\r\n",
        "Connection: Upgrade\r\n",
        "",
      ]) {
        const client = await connect(server);
        client.write(`GET / HTTP/1.1\r\nHost: a.test\r\n${lines}\r\n`);
        answers.push((await client.readResponse()).body.toString());
      }
      const old = await connect(server);
      old.write("GET / HTTP/1.0\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
      answers.push((await old.readResponse()).body.toString());
      const none = "undefined undefined";
      expect(answers).toEqual(["http1 websocket", none, none, none, none]);
    });

    test("is not offered to what concerns one hop only, nor with a body", async () => {
      const server = await serve((exchange) => {
        const { upgrade } = exchange.features;
        exchange.response.send({ status: 200, headers: new HeaderList() }, String(upgrade?.protocol));
      });
      for (const lines of [
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
        "Connection: Upgrade\r\nUpgrade: TLS/1.2\r\n\r\n",
        "Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\nhi",
        "Connection: Upgrade\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
      ]) {
        const client = await connect(server);
        client.write(`POST / HTTP/1.1\r\nHost: a.test\r\n${lines}`);
        expect((await client.readResponse()).body.toString()).toBe("undefined");
      }
    });

    test("accepted passes bytes both ways, early ones first", async () => {
      const sink = new BodyCollector();
      const { server, opened, completed } = await tunnelled(sink);
      const client = await connect(server);
      client.write(`${ask}early`);
      const head = await client.readHead();
      expect([head.status, head.reason]).toEqual([101, "Switching Protocols"]);
      expect(head.header("connection")?.toLowerCase()).toBe("upgrade");
      expect(head.count("upgrade")).toBe(1);
      expect(head.header("upgrade")).toBe("websocket");
      expect(head.header("sec-websocket-accept")).toBe("x");
      expect(head.header("content-length") ?? head.header("transfer-encoding")).toBeUndefined();
      const { tunnel, exchange } = await opened;
      expect([exchange.response.started, exchange.response.status]).toEqual([true, exchange.features.upgrade?.kind === "http2" ? 200 : 101]);
      tunnel.write(Buffer.from("from the server"));
      expect((await client.readBytes(15)).toString()).toBe("from the server");
      client.write(" and late");
      client.end();
      expect((await sink.done).bytes.toString()).toBe("early and late");
      tunnel.end();
      await client.ended;
      await completed;
      await until(() => server.connectionCount === 0);
    });

    test("lets the server speak first, in the same packet as the 101", async () => {
      const server = await serve((exchange) => {
        const tunnel = accept(exchange) as Tunnel;
        tunnel.write(Buffer.from("hello"));
        tunnel.read(new BodyCollector());
        tunnel.end();
      });
      const client = await connect(server);
      client.write(ask);
      expect((await client.readHead()).status).toBe(101);
      expect((await client.readToEnd()).toString()).toBe("hello");
      client.end();
      await client.closed;
    });

    test("passes on a half-close of the client and still writes to it", async () => {
      const sink = new BodyCollector();
      const { server, opened, completed } = await tunnelled(sink);
      const client = await connect(server);
      client.write(ask);
      await client.readHead();
      client.end();
      await sink.done;
      const { tunnel } = await opened;
      await turns(3);
      tunnel.write(Buffer.from("still here"));
      tunnel.end();
      expect((await client.readToEnd()).toString()).toBe("still here");
      await completed;
      expect(await client.closed).toBe("end");
    });

    test("passes on a half-close of the server and still reads from the client", async () => {
      const sink = new BodyCollector();
      const { server, opened, completed } = await tunnelled(sink);
      const client = await connect(server, { halfOpen: true });
      client.write(ask);
      await client.readHead();
      (await opened).tunnel.end();
      await client.ended;
      client.write("late");
      client.end();
      expect((await sink.done).bytes.toString()).toBe("late");
      await completed;
    });

    test("holds the client back while the tunnel is paused", async () => {
      const total = 32 * 1024 * 1024;
      const sink = new BodyCollector();
      const { server, opened } = await tunnelled(sink);
      const client = await connect(server);
      client.write(ask);
      await client.readHead();
      const { tunnel } = await opened;
      const onData = sink.onData.bind(sink);
      sink.onData = (chunk) => {
        sink.chunks.length = 0;
        if (sink.size === 0) tunnel.pause();
        return onData(chunk);
      };
      client.write(Buffer.alloc(total));
      await sink.first;
      const size = sink.size;
      const marker = await connect(server);
      marker.write("GET bad HTTP/1.1\r\n\r\n");
      await marker.closed;
      expect(sink.size).toBe(size);
      expect(client.socket.writableLength).toBeGreaterThan(0);
      tunnel.resume();
      client.end();
      await sink.done;
      expect(sink.size).toBe(total);
      tunnel.end();
    });

    test("is held back by a client that does not read", async () => {
      const sink = new BodyCollector();
      const { server, opened } = await tunnelled(sink);
      const client = await connect(server);
      client.write(ask);
      await client.readHead();
      client.socket.pause();
      const { tunnel } = await opened;
      const chunk = Buffer.alloc(1024 * 1024);
      const drained = signal();
      tunnel.onDrain(drained.resolve);
      let written = 0;
      while (tunnel.write(chunk)) written++;
      expect(written).toBeLessThan(64);
      expect(tunnel.pending).toBeGreaterThan(0);
      client.socket.removeAllListeners("data");
      client.socket.on("data", () => undefined);
      client.socket.resume();
      await drained.promise;
      expect(tunnel.pending).toBe(0);
    });

    test("that the client resets is an error to the tunnel and completes once", async () => {
      const sink = new BodyCollector();
      const { server, opened, completed, completions } = await tunnelled(sink);
      const client = await connect(server);
      client.write(ask);
      await client.readHead();
      const { tunnel, exchange } = await opened;
      client.reset();
      await expect(sink.done).rejects.toBeInstanceOf(Error);
      await completed;
      tunnel.write(Buffer.from("late"));
      tunnel.end();
      tunnel.abort(new Error("late"));
      exchange.response.abort(new Error("late"));
      await turns(3);
      expect(completions()).toBe(1);
      expect(sink.finals).toBe(1);
      await until(() => server.connectionCount === 0);
    });

    test("that the server aborts is a cut for the client", async () => {
      const sink = new BodyCollector();
      const { server, opened, completed, completions } = await tunnelled(sink);
      const client = await connect(server);
      client.write(ask);
      await client.readHead();
      (await opened).tunnel.abort(new Error("enough"));
      expect(await client.closed).toBe("reset");
      await completed;
      expect(completions()).toBe(1);
      await until(() => server.connectionCount === 0);
    });

    test("declined is an ordinary answer", async () => {
      const server = await serve((exchange) => {
        if (exchange.request.path === "/stream") {
          exchange.response.start({ status: 200, headers: new HeaderList() });
          exchange.response.write(Buffer.from("no"));
          exchange.response.end();
        } else exchange.response.send({ status: 403, headers: new HeaderList() }, "no");
        expect(() => accept(exchange)).toThrow();
      });
      for (const [path, status] of [["/ws", 403], ["/stream", 200]] as const) {
        const client = await connect(server);
        client.write(ask.replace("/ws", path));
        const response = await client.readResponse();
        expect([response.status, response.body.toString()]).toEqual([status, "no"]);
        if (response.header("connection")?.toLowerCase() === "close") await client.ended;
      }
      expect(server.faults).toEqual([]);
    });

    test("whose client leaves before the answer is told", async () => {
      const gone = signal<Error>();
      const completed = signal();
      const arrived = signal();
      const server = await serve((exchange) => {
        exchange.onClientGone(gone.resolve);
        exchange.onComplete(completed.resolve);
        arrived.resolve();
      });
      const client = await connect(server);
      client.write(ask);
      await arrived.promise;
      client.reset();
      expect(await gone.promise).toBeInstanceOf(Error);
      await completed.promise;
    });

    test("beyond the most that may be open is refused with 503", async () => {
      const server = await serve((exchange) => {
        const tunnel = accept(exchange);
        const sink = new BodyCollector();
        tunnel?.read(sink);
        void sink.done.then(() => tunnel?.end());
      }, { maxConcurrentUpgradedConnections: 1 });
      const first = await connect(server);
      first.write(ask);
      expect((await first.readHead()).status).toBe(101);
      const second = await connect(server);
      second.write(ask);
      expect((await second.readResponse()).status).toBe(503);
    });

    test("beyond the most that may be open is not accepted either when it was asked for before", async () => {
      const asked: Exchange[] = [];
      const both = signal();
      const server = await serve(async (exchange) => {
        if (asked.push(exchange) === 2) both.resolve();
        await both.promise;
        accept(exchange)?.read(new BodyCollector());
      }, { maxConcurrentUpgradedConnections: 1 });
      const clients = [await connect(server), await connect(server)];
      for (const client of clients) client.write(ask);
      const statuses = await Promise.all(clients.map(async (client) => (await client.readHead()).status));
      expect(statuses.sort()).toEqual([101, 503]);
      for (const client of clients) client.reset();
      await until(() => server.connectionCount === 0);
    });

    test("is told when its server begins to close, also when that was before", async () => {
      const told: string[] = [];
      const late = signal<Exchange>();
      const server = await serve((exchange) => {
        if (exchange.request.path === "/late") {
          late.resolve(exchange);
          return;
        }
        const tunnel = accept(exchange) as Tunnel;
        tunnel.onShutdown?.(() => {
          told.push("open");
          tunnel.write(Buffer.from("bye"));
          tunnel.end();
        });
        tunnel.read(new BodyCollector());
      });
      const client = await connect(server);
      client.write(ask);
      await client.readHead();
      const later = await connect(server);
      later.write(ask.replace("/ws", "/late"));
      const waiting = await late.promise;
      const closing = server.close(5000);
      expect((await client.readToEnd()).toString()).toBe("bye");
      const tunnel = accept(waiting) as Tunnel;
      tunnel.onShutdown?.(() => told.push("late"));
      tunnel.read(new BodyCollector());
      tunnel.end();
      expect((await later.readHead()).status).toBe(101);
      await later.ended;
      client.end();
      later.end();
      await closing;
      expect(told).toEqual(["open", "late"]);
    });

    test("open at close is cut after the grace period", async () => {
      const sink = new BodyCollector();
      const { server } = await tunnelled(sink);
      const client = await connect(server);
      client.write(ask);
      await client.readHead();
      await server.close(20);
      await client.closed;
      await expect(sink.done).rejects.toBeInstanceOf(Error);
    });
  },
};
