import { expect } from "vitest";
import type { DestinationPart } from "./destination-bench.ts";
import { MemoryBody, turns, until } from "./recorders.ts";

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/** The pool: reuse, resend, limits, closing. */
export const destinationConnections: DestinationPart = {
  title: "connection",
  define({ test, destination, client, send }) {
    test("is used for one request after the other, and two at a time for two", async () => {
      const there = await destination();
      const one = client(there);
      const first = send(one);
      const second = send(one);
      const a = await there.accept();
      const b = await there.accept();
      await a.readRequest();
      await b.readRequest();
      a.write(ok);
      b.write(ok);
      await Promise.all([first.result, second.result]);
      await turns(2);
      const third = send(one, { target: "/3" });
      const used = await Promise.race([a.readRequest().then(() => a), b.readRequest().then(() => b)]);
      used.write(ok);
      await third.result;
      expect(there.peers.length).toBe(2);
    });

    test("that died while idle is replaced: the request goes out once more on a fresh one", async () => {
      const there = await destination();
      const one = client(there);
      const first = send(one);
      const old = await there.accept();
      await old.readRequest();
      old.write(ok);
      await first.result;
      await turns(2);
      const second = send(one, { target: "/2" });
      // It is not known to be dead before the request is on it.
      await old.readRequest();
      old.wire.reset();
      const fresh = await there.accept();
      expect((await fresh.readRequest()).target).toBe("/2");
      fresh.write(ok);
      expect((await second.result).body).toBe("ok");
    });

    test("that the destination closed while idle is not used again", async () => {
      const there = await destination();
      const one = client(there);
      const first = send(one);
      const old = await there.accept();
      await old.readRequest();
      old.write(ok);
      old.wire.end();
      await first.result;
      await old.wire.ended;
      const second = send(one, { target: "/2" });
      const fresh = await there.accept();
      await fresh.readRequest();
      fresh.write(ok);
      expect((await second.result).body).toBe("ok");
    });

    test("that is fresh and dies gives an error, not a second try", async () => {
      const there = await destination();
      const call = send(client(there));
      const peer = await there.accept();
      await peer.readRequest();
      peer.wire.reset();
      expect(await call.failure).toMatchObject({ step: "request", source: "destination", requestSent: true, timedOut: false });
      await turns(5);
      expect(there.peers.length).toBe(1);
    });

    test("that dies after the body began gives an error, not a second try", async () => {
      const there = await destination();
      const one = client(there);
      const first = send(one);
      const old = await there.accept();
      await old.readRequest();
      old.write(ok);
      await first.result;
      await turns(2);
      const body = new MemoryBody(["part"], { length: 10, held: true });
      const second = send(one, { body });
      await old.readRequest();
      await old.wire.readBytes(4);
      old.wire.reset();
      const error = await second.failure;
      expect(error.requestSent).toBe(true);
      expect(["request", "request-body"]).toContain(error.step);
      await until(() => body.cancelled);
      expect(there.peers.length).toBe(1);
    });

    test("that carried more than its answer is not used again", async () => {
      const there = await destination();
      const one = client(there);
      const first = send(one);
      const old = await there.accept();
      await old.readRequest();
      old.write(`${ok}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison`);
      expect((await first.result).body).toBe("ok");
      await old.wire.ended;
      const second = send(one);
      const fresh = await there.accept();
      await fresh.readRequest();
      fresh.write(ok);
      expect((await second.result).body).toBe("ok");
    });

    test("that took a request of single use takes no other", async () => {
      const there = await destination();
      // It would close for another reason otherwise.
      const one = client(there, { idleTimeout: 3_600_000 });
      const first = send(one);
      const used = await there.accept();
      await used.readRequest();
      used.write(ok);
      await first.result;
      await turns(2);
      const only = send(one, { target: "/only", singleUse: true });
      const request = await used.readRequest();
      expect([request.target, request.header("connection")]).toEqual(["/only", "close"]);
      // It does not close by itself.
      used.write(ok);
      expect((await only.result).body).toBe("ok");
      await used.wire.ended;
      const next = send(one, { target: "/next" });
      const fresh = await there.accept();
      expect((await fresh.readRequest()).target).toBe("/next");
      fresh.write(ok);
      await next.result;
    });

    test("that speaks unasked while idle is closed", async () => {
      const there = await destination();
      const one = client(there);
      const first = send(one);
      const old = await there.accept();
      await old.readRequest();
      old.write(ok);
      await first.result;
      old.write("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison");
      await old.wire.ended;
      const second = send(one);
      const fresh = await there.accept();
      await fresh.readRequest();
      fresh.write(ok);
      expect((await second.result).body).toBe("ok");
    });

    test("is one of at most maxConnections; further requests wait their turn", async () => {
      const there = await destination();
      const one = client(there, { maxConnections: 1 });
      const calls = ["/1", "/2", "/3"].map((target) => send(one, { target }));
      const peer = await there.accept();
      for (const [i, call] of calls.entries()) {
        expect((await peer.readRequest()).target).toBe(`/${i + 1}`);
        expect(peer.wire.pending).toBe("");
        peer.write(ok);
        await call.result;
      }
      expect(there.peers.length).toBe(1);
    });

    test("that nobody frees in time fails those who wait", async () => {
      const there = await destination();
      const one = client(there, { maxConnections: 1, queueTimeout: 30 });
      const first = send(one);
      const peer = await there.accept();
      await peer.readRequest();
      const second = send(one);
      expect(await second.failure).toMatchObject({ step: "connect", timedOut: true, requestSent: false });
      peer.write(ok);
      await first.result;
    });

    test("is not waited for by more than maxQueuedRequests", async () => {
      const there = await destination();
      const one = client(there, { maxConnections: 1, maxQueuedRequests: 1 });
      const first = send(one);
      const peer = await there.accept();
      await peer.readRequest();
      const second = send(one);
      const third = send(one);
      expect(await third.failure).toMatchObject({ step: "connect", overloaded: true, requestSent: false });
      peer.write(ok);
      await first.result;
      await peer.readRequest();
      peer.write(ok);
      await second.result;
    });

    test("that is waited for can be given up", async () => {
      const there = await destination();
      const one = client(there, { maxConnections: 1 });
      const first = send(one);
      const peer = await there.accept();
      await peer.readRequest();
      const body = new MemoryBody(["x"], { length: 1 });
      const second = send(one, { target: "/2", body });
      const third = send(one, { target: "/3" });
      second.call.abort(new Error("client left"));
      peer.write(ok);
      await first.result;
      expect((await peer.readRequest()).target).toBe("/3");
      peer.write(ok);
      await third.result;
      expect(second.finals).toBe(0);
      expect(body.delivered).toBe(0);
    });

    test("is closed when it idled too long", async () => {
      const there = await destination();
      const call = send(client(there, { idleTimeout: 30 }));
      const peer = await there.accept();
      await peer.readRequest();
      peer.write(ok);
      await call.result;
      await peer.wire.ended;
    });

    test("is not used for ever: one that is too old makes room for a fresh one", async () => {
      const there = await destination();
      const one = client(there, { connectionLifetime: 100 });
      // Ages may be measured by a coarse clock: what counts is that the first connection is not the only one for long.
      while (there.peers.length < 2) {
        const call = send(one);
        await until(() => there.peers.some((peer) => peer.wire.pending.endsWith("\r\n\r\n")));
        const used = there.peers.find((peer) => peer.wire.pendingSize > 0);
        await used?.readRequest();
        used?.write(ok);
        await call.result;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      await there.peers[0]?.wire.ended;
    });

    test("is closed by close() when its request is done", async () => {
      const there = await destination();
      const one = client(there);
      const idle = send(one);
      const busy = send(one);
      const a = await there.accept();
      const b = await there.accept();
      await a.readRequest();
      await b.readRequest();
      a.write(ok);
      await Promise.race([idle.result, busy.result]);
      let closed = false;
      const closing = one.close().then(() => {
        closed = true;
      });
      await a.wire.ended;
      expect(closed).toBe(false);
      b.write(ok);
      await Promise.all([idle.result, busy.result]);
      await closing;
      const late = send(one);
      expect(await late.failure).toMatchObject({ requestSent: false });
    });

    test("is cut by destroy(), and its request fails", async () => {
      const there = await destination();
      const one = client(there);
      const body = new MemoryBody(["x"], { length: 10, held: true });
      const call = send(one, { body });
      const peer = await there.accept();
      await peer.readRequest();
      one.destroy(new Error("shut down"));
      expect(await call.failure).toMatchObject({ requestSent: true });
      await until(() => peer.socket.readableEnded || peer.socket.destroyed);
      await until(() => body.cancelled);
      await one.close();
    });
  },
};
