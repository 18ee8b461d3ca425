import { expect } from "vitest";
import { HeaderList } from "../../src/index.ts";
import type { DestinationPart } from "./destination-bench.ts";
import { MemoryBody, turns, until } from "./recorders.ts";

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/** What a destination gets to see. */
export const destinationRequests: DestinationPart = {
  title: "request",
  define({ test, destination, client, send }) {
    test("goes out with its lines in order, case and repetition, and no framing when it has no body", async () => {
      const there = await destination();
      const call = send(client(there), {
        method: "GET",
        target: "/a%2Fb?c=d",
        headers: [["Host", "a.test"], ["X-b", "1"], ["x-A", "caf\xe9"], ["X-B", "2"]],
      });
      const peer = await there.accept();
      const request = await peer.readRequest();
      expect([request.method, request.target, request.version]).toEqual(["GET", "/a%2Fb?c=d", "HTTP/1.1"]);
      expect(request.headers.filter(([name]) => /^x-/i.test(name))).toEqual([["X-b", "1"], ["x-A", "caf\xe9"], ["X-B", "2"]]);
      expect(request.all("host")).toEqual(["a.test"]);
      expect(request.header("content-length")).toBeUndefined();
      expect(request.header("transfer-encoding")).toBeUndefined();
      peer.write(ok);
      expect((await call.result).body).toBe("ok");
      expect(call.progress).toBeGreaterThan(0);
    });

    test("carries a body of known length", async () => {
      const there = await destination();
      const call = send(client(there), { body: new MemoryBody(["hello", "world"], { length: 10 }) });
      const peer = await there.accept();
      const request = await peer.readRequest();
      expect(request.all("content-length")).toEqual(["10"]);
      expect(request.header("transfer-encoding")).toBeUndefined();
      expect((await peer.wire.readBytes(10)).toString()).toBe("helloworld");
      peer.write(ok);
      expect((await call.result).status).toBe(200);
    });

    test("carries a body of length 0", async () => {
      const there = await destination();
      const call = send(client(there), { body: new MemoryBody([], { length: 0 }) });
      const peer = await there.accept();
      expect((await peer.readRequest()).all("content-length")).toEqual(["0"]);
      peer.write(ok);
      await call.result;
    });

    test("carries a body of unknown length in chunks", async () => {
      const there = await destination();
      const call = send(client(there), { body: new MemoryBody(["hello", "world"]) });
      const peer = await there.accept();
      const request = await peer.readRequest();
      expect(request.all("transfer-encoding")).toEqual(["chunked"]);
      expect(request.header("content-length")).toBeUndefined();
      expect(await peer.readChunked()).toEqual({ body: "helloworld", trailers: "" });
      peer.write(ok);
      await call.result;
    });

    test("carries trailers of its body", async () => {
      const there = await destination();
      const trailers = HeaderList.from([["X-Sum", "1"], ["x-sum", "2"]]);
      const call = send(client(there), { body: new MemoryBody(["a"], { trailers }) });
      const peer = await there.accept();
      await peer.readRequest();
      expect(await peer.readChunked()).toEqual({ body: "a", trailers: "X-Sum: 1\r\nx-sum: 2\r\n" });
      peer.write(ok);
      await call.result;
    });

    test("of GET and DELETE keeps its body", async () => {
      const there = await destination();
      const one = client(there);
      let peer: Awaited<ReturnType<typeof there.accept>> | undefined;
      for (const method of ["GET", "DELETE"]) {
        const call = send(one, { method, body: new MemoryBody(["hi"], { length: 2 }) });
        peer ??= await there.accept();
        expect((await peer.readRequest()).all("content-length")).toEqual(["2"]);
        expect((await peer.wire.readBytes(2)).toString()).toBe("hi");
        peer.write(ok);
        await call.result;
        await turns(2);
      }
    });

    test("holds its body back while the destination does not read", async () => {
      const there = await destination();
      const chunks = Array.from({ length: 512 }, () => Buffer.alloc(64 * 1024));
      const body = new MemoryBody(chunks, { length: 512 * 64 * 1024 });
      const call = send(client(there), { body });
      const peer = await there.accept();
      await peer.readRequest();
      peer.socket.pause();
      // The body schedules a chunk per turn: it stands still once it is paused.
      let last = -1;
      while (last !== body.delivered) {
        last = body.delivered;
        await turns(20);
      }
      expect(body.delivered).toBeLessThan(512);
      peer.socket.removeAllListeners("data");
      let size = 0;
      peer.socket.on("data", (chunk) => {
        size += chunk.length;
      });
      peer.socket.resume();
      await until(() => size + peer.wire.pendingSize >= 512 * 64 * 1024);
      peer.write(ok);
      expect((await call.result).body).toBe("ok");
    });

    test("with expectContinue sends its body after 100", async () => {
      const there = await destination();
      const body = new MemoryBody(["hello"], { length: 5 });
      const call = send(client(there), { body, expectContinue: true });
      const peer = await there.accept();
      expect((await peer.readRequest()).header("expect")?.toLowerCase()).toBe("100-continue");
      await turns(10);
      expect(body.delivered).toBe(0);
      expect(peer.wire.pending).toBe("");
      peer.write("HTTP/1.1 100 Continue\r\n\r\n");
      expect((await peer.wire.readBytes(5)).toString()).toBe("hello");
      peer.write(ok);
      expect((await call.result).status).toBe(200);
    });

    test("with expectContinue sends its body after a second without an answer", async () => {
      const there = await destination();
      const call = send(client(there), { body: new MemoryBody(["hello"], { length: 5 }), expectContinue: true });
      const peer = await there.accept();
      await peer.readRequest();
      expect((await peer.wire.readBytes(5)).toString()).toBe("hello");
      peer.write(ok);
      expect((await call.result).status).toBe(200);
    });

    test("with expectContinue never reads its body when the final answer comes first", async () => {
      const there = await destination();
      const body = new MemoryBody(["hello"], { length: 5 });
      const call = send(client(there), { body, expectContinue: true });
      const peer = await there.accept();
      await peer.readRequest();
      peer.write("HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n");
      expect((await call.result).status).toBe(417);
      expect(body.delivered).toBe(0);
      expect(body.cancelled).toBe(true);
      await peer.wire.ended;
    });

    test("whose body breaks off is an error of the client, and the connection is cut", async () => {
      const there = await destination();
      const body = new MemoryBody(["part"], { length: 10, held: true });
      const call = send(client(there), { body });
      const peer = await there.accept();
      await peer.readRequest();
      await peer.wire.readBytes(4);
      const cause = new Error("client left");
      body.fail(cause);
      const error = await call.failure;
      expect(error).toMatchObject({ step: "request-body", source: "client", requestSent: true });
      await until(() => peer.socket.readableEnded || peer.socket.destroyed);
    });

    test("whose body has not its announced length is never completed", async () => {
      for (const chunks of [["short"], ["much", "too", "long"]]) {
        const there = await destination();
        const call = send(client(there), { body: new MemoryBody(chunks, { length: 8 }) });
        const peer = await there.accept();
        await peer.readRequest();
        expect((await call.failure).step).toBe("request-body");
        await until(() => peer.socket.readableEnded || peer.socket.destroyed);
        expect(peer.wire.pendingSize).toBeLessThanOrEqual(8);
      }
    });

    test("gets its answer before its body is at an end, which is then cancelled", async () => {
      const there = await destination();
      const body = new MemoryBody(["part"], { length: 10, held: true });
      const call = send(client(there), { body });
      const peer = await there.accept();
      await peer.readRequest();
      await peer.wire.readBytes(4);
      peer.write("HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno");
      expect(await call.result).toMatchObject({ status: 413, body: "no" });
      await until(() => body.cancelled);
      // A request that was not sent whole leaves a connection that nobody can use again.
      await peer.wire.ended;
    });

    test("goes on with its body while the answer is streamed", async () => {
      const there = await destination();
      const body = new MemoryBody(["ping"], { held: true });
      const call = send(client(there), { body });
      const peer = await there.accept();
      await peer.readRequest();
      peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npong\r\n");
      await call.firstData;
      body.finish();
      expect((await peer.readChunked()).body).toBe("ping");
      peer.write("0\r\n\r\n");
      expect((await call.result).body).toBe("pong");
    });

    test("says no more about its connection than keep-alive", async () => {
      const there = await destination();
      const call = send(client(there));
      const peer = await there.accept();
      expect((await peer.readRequest()).header("connection") ?? "keep-alive").toBe("keep-alive");
      peer.write(ok);
      await call.result;
    });
  },
};
