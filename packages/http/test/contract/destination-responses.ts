import { expect } from "vitest";
import type { DestinationPart } from "./destination-bench.ts";
import { turns } from "./recorders.ts";

/** Everything that a destination may answer, by RFC 9112, 6.3. */
export const destinationResponses: DestinationPart = {
  title: "response",
  define({ test, destination, client, send }) {
    const answers: readonly [title: string, method: string, wire: string, body: string, reused: boolean][] = [
      ["by Content-Length", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello", true],
      ["of length 0", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "", true],
      ["in chunks", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0006\r\n world\r\n0\r\n\r\n", "hello world", true],
      ["to HEAD with a length", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "", true],
      ["to HEAD in chunks", "HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "", true],
      ["204", "GET", "HTTP/1.1 204 No Content\r\n\r\n", "", true],
      ["304 with a length", "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "", true],
      ["of HTTP/1.0 kept alive", "GET", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", "ok", true],
      ["of HTTP/1.0", "GET", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", "ok", false],
      ["with Connection: close", "GET", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", "ok", false],
    ];
    for (const [title, method, wire, body, reused] of answers) {
      test(`${title} is whole, and its connection ${reused ? "used again" : "closed"}`, async () => {
        const there = await destination();
        const one = client(there);
        const call = send(one, { method });
        const peer = await there.accept();
        await peer.readRequest();
        peer.write(wire);
        expect((await call.result).body).toBe(body);
        if (!reused) {
          await peer.wire.ended;
          return;
        }
        await turns(2);
        const again = send(one, { target: "/again" });
        expect((await peer.readRequest()).target).toBe("/again");
        peer.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        await again.result;
        expect(there.peers.length).toBe(1);
      });
    }

    test("without a length ends with the connection", async () => {
      const there = await destination();
      const call = send(client(there));
      const peer = await there.accept();
      await peer.readRequest();
      peer.write("HTTP/1.1 200 OK\r\n\r\nhello");
      await call.firstData;
      peer.write(" world");
      peer.wire.end();
      expect((await call.result).body).toBe("hello world");
    });

    test("keeps its lines in order, case, repetition and bytes", async () => {
      const there = await destination();
      const call = send(client(there));
      const peer = await there.accept();
      await peer.readRequest();
      peer.write("HTTP/1.1 299 Fine \xe9\r\nX-b:1\r\nSet-Cookie: a=1\r\nx-A:  caf\xe9\t\r\nSet-Cookie: b=2\r\nX-Empty:\r\nContent-Length: 0\r\n\r\n");
      const { head } = await call.result;
      expect([head.status, head.reason]).toEqual([299, "Fine \xe9"]);
      expect(head.headers.toRaw()).toEqual([
        "X-b", "1", "Set-Cookie", "a=1", "x-A", "caf\xe9", "Set-Cookie", "b=2", "X-Empty", "", "Content-Length", "0",
      ]);
    });

    test("without a reason phrase is accepted", async () => {
      const there = await destination();
      const call = send(client(there));
      const peer = await there.accept();
      await peer.readRequest();
      peer.write("HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n");
      expect((await call.result).status).toBe(200);
    });

    test("arrives whole when it comes in single bytes", async () => {
      const there = await destination();
      const call = send(client(there));
      const peer = await there.accept();
      await peer.readRequest();
      for (const byte of "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX: 1\r\n\r\n") await peer.wire.sent(byte);
      const { body, trailers } = await call.result;
      expect([body, trailers?.toRaw()]).toEqual(["ok", ["X", "1"]]);
    });

    test("carries trailers to the handler", async () => {
      const there = await destination();
      const call = send(client(there));
      const peer = await there.accept();
      await peer.readRequest();
      peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\nX-Two: 2\r\n\r\n");
      const { trailers } = await call.result;
      expect(trailers?.get("x-sum")).toBe("1");
      expect(trailers?.get("x-two")).toBe("2");
    });

    test("has no trailers when none came", async () => {
      const there = await destination();
      const call = send(client(there));
      const peer = await there.accept();
      await peer.readRequest();
      peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
      expect((await call.result).trailers).toBeUndefined();
    });

    test("may be preceded by informational ones", async () => {
      const there = await destination();
      const call = send(client(there));
      const peer = await there.accept();
      await peer.readRequest();
      peer.write("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nLink: </b>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      expect((await call.result).body).toBe("ok");
      expect(call.informational.map(([status]) => status)).toEqual([103, 102]);
      expect(call.informational[0]?.[1].getAll("link")).toEqual(["</a>", "</b>"]);
    });

    test("may be preceded by a 100 that nobody asked for", async () => {
      const there = await destination();
      const call = send(client(there));
      const peer = await there.accept();
      await peer.readRequest();
      peer.write("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      expect((await call.result).body).toBe("ok");
    });

    test("comes to nobody while it is paused", async () => {
      const there = await destination();
      const call = send(client(there));
      const onData = call.onData.bind(call);
      let paused = false;
      let early = 0;
      call.onData = (chunk) => {
        if (paused) early++;
        paused = true;
        call.call.pause();
        setImmediate(() => {
          paused = false;
          call.call.resume();
        });
        return onData(chunk);
      };
      const peer = await there.accept();
      await peer.readRequest();
      peer.write(`HTTP/1.1 200 OK\r\nContent-Length: 500000\r\n\r\n`);
      peer.write(Buffer.alloc(500_000, 97));
      expect((await call.result).body.length).toBe(500_000);
      expect(early).toBe(0);
    });

    test("in many small chunks stops at a pause as well", async () => {
      const there = await destination();
      const call = send(client(there));
      const onData = call.onData.bind(call);
      call.onData = (chunk) => {
        call.call.pause();
        return onData(chunk);
      };
      const peer = await there.accept();
      await peer.readRequest();
      peer.write(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${"1\r\nx\r\n".repeat(50)}0\r\n\r\n`);
      await call.firstData;
      await turns(5);
      const held = call.chunks.length;
      expect(held).toBe(1);
      const timer = setInterval(() => call.call.resume(), 0);
      expect((await call.result).body).toBe("x".repeat(50));
      clearInterval(timer);
    });

    test("is left with the destination while it is paused", async () => {
      const total = 48 * 1024 * 1024;
      const there = await destination();
      const call = send(client(there));
      const onData = call.onData.bind(call);
      let first = true;
      call.onData = (chunk) => {
        call.chunks.length = 0;
        if (first) call.call.pause();
        first = false;
        return onData(chunk);
      };
      const peer = await there.accept();
      await peer.readRequest();
      peer.write(`HTTP/1.1 200 OK\r\nContent-Length: ${total}\r\n\r\n`);
      peer.write(Buffer.alloc(total));
      await call.firstData;
      await turns(200);
      expect(peer.socket.writableLength).toBeGreaterThan(0);
      expect(call.size).toBeLessThan(4 * 1024 * 1024);
      call.call.resume();
      await call.result;
      expect(call.size).toBe(total);
    });
  },
};
