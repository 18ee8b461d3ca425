import { expect } from "vitest";
import type { DestinationPart } from "./destination-bench.ts";
import { BodyCollector, turns, until } from "./recorders.ts";

const switching = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-A: 1\r\n\r\n";

/** Tunnels to a destination. */
export const destinationUpgrades: DestinationPart = {
  title: "upgrade",
  define({ test, destination, client, send }) {
    test("asks with Connection and Upgrade, and passes bytes both ways, early ones first", async () => {
      const there = await destination();
      const call = send(client(there), { upgrade: "websocket" });
      const peer = await there.accept();
      const request = await peer.readRequest();
      expect(request.header("upgrade")).toBe("websocket");
      expect(request.header("connection")?.toLowerCase()).toContain("upgrade");
      peer.write(`${switching}early`);
      const { head, tunnel } = await call.upgraded;
      expect([head.status, head.headers.get("x-a")]).toEqual([101, "1"]);
      const sink = new BodyCollector();
      tunnel.read(sink);
      tunnel.write(Buffer.from("hello"));
      expect((await peer.wire.readBytes(5)).toString()).toBe("hello");
      peer.write(" and late");
      peer.wire.end();
      expect((await sink.done).bytes.toString()).toBe("early and late");
      tunnel.write(Buffer.from("still"));
      tunnel.end();
      expect((await peer.wire.readToEnd()).toString()).toBe("still");
    });

    test("that is declined gets an ordinary answer", async () => {
      const there = await destination();
      const call = send(client(there), { upgrade: "websocket" });
      const peer = await there.accept();
      await peer.readRequest();
      peer.write("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
      expect(await call.result).toMatchObject({ status: 403, body: "no" });
    });

    test("over HTTP/2 and nothing else is refused by a client of HTTP/1.1, before anything is sent", async () => {
      const there = await destination();
      const call = send(client(there), { upgrade: "websocket", httpVersion: "2", versionPolicy: "RequestVersionExact" });
      expect(await call.failure).toMatchObject({ versionUnavailable: true, requestSent: false });
    });

    test("that nobody asked for is refused", async () => {
      const there = await destination();
      const call = send(client(there));
      const peer = await there.accept();
      await peer.readRequest();
      peer.write(switching);
      expect((await call.failure).step).toMatch(/^(request|response-head)$/);
      await peer.wire.ended;
    });

    test("passes on a half-close towards the destination", async () => {
      const there = await destination();
      const call = send(client(there), { upgrade: "websocket" });
      const peer = await there.accept();
      await peer.readRequest();
      peer.write(switching);
      const { tunnel } = await call.upgraded;
      const sink = new BodyCollector();
      tunnel.read(sink);
      tunnel.end();
      await peer.wire.ended;
      peer.write("late");
      peer.wire.end();
      expect((await sink.done).bytes.toString()).toBe("late");
    });

    test("tells a cut, and cuts", async () => {
      const there = await destination();
      const one = client(there);
      for (const side of ["destination", "client"]) {
        const call = send(one, { upgrade: "websocket" });
        const peer = await there.accept();
        await peer.readRequest();
        peer.write(switching);
        const { tunnel } = await call.upgraded;
        const sink = new BodyCollector();
        tunnel.read(sink);
        if (side === "destination") {
          peer.wire.reset();
          await expect(sink.done).rejects.toBeInstanceOf(Error);
        } else {
          tunnel.abort(new Error("enough"));
          await until(() => peer.socket.readableEnded || peer.socket.destroyed);
        }
        tunnel.write(Buffer.from("late"));
        tunnel.end();
        tunnel.abort(new Error("late"));
        await turns(2);
        expect(sink.finals).toBeLessThanOrEqual(1);
      }
    });

    test("has backpressure both ways", async () => {
      const there = await destination();
      const call = send(client(there), { upgrade: "websocket" });
      const peer = await there.accept();
      await peer.readRequest();
      peer.write(switching);
      const { tunnel } = await call.upgraded;
      const total = 32 * 1024 * 1024;
      const sink = new BodyCollector();
      const onData = sink.onData.bind(sink);
      sink.onData = (chunk) => {
        sink.chunks.length = 0;
        if (sink.size === 0) tunnel.pause();
        return onData(chunk);
      };
      tunnel.read(sink);
      peer.write(Buffer.alloc(total));
      await sink.first;
      const { size } = sink;
      await turns(200);
      expect(sink.size).toBe(size);
      expect(peer.socket.writableLength).toBeGreaterThan(0);
      tunnel.resume();
      await until(() => sink.size === total);

      peer.socket.pause();
      const chunk = Buffer.alloc(1024 * 1024);
      let drained = false;
      tunnel.onDrain(() => {
        drained = true;
      });
      let written = 0;
      while (written < 64 && tunnel.write(chunk)) written++;
      expect(written).toBeLessThan(64);
      expect(tunnel.pending).toBeGreaterThan(0);
      peer.socket.removeAllListeners("data");
      peer.socket.on("data", () => undefined);
      peer.socket.resume();
      await until(() => drained);
      tunnel.abort(new Error("done"));
    });
  },
};
