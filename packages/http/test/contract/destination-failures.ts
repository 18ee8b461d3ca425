import { createServer, type AddressInfo } from "node:net";
import { expect } from "vitest";
import { DestinationError } from "../../src/index.ts";
import type { DestinationPart } from "./destination-bench.ts";
import type { RawPeer } from "./raw-destination.ts";
import { MemoryBody, turns, until } from "./recorders.ts";

const ok = "HTTP/1.1 200 OK\r\n";

/** Heads that are not HTTP, or not clear. */
const malformedHeads: readonly (readonly [title: string, wire: string])[] = [
  ["no HTTP at all", "hello there\r\n\r\n"],
  ["HTTP/2.0", "HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"],
  ["a lower-case version", "http/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"],
  ["a status of two digits", "HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n"],
  ["a status of four digits", "HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n"],
  ["a status with a letter", "HTTP/1.1 2x0 OK\r\nContent-Length: 0\r\n\r\n"],
  ["a status below 100", "HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n"],
  ["a control character in the reason", "HTTP/1.1 200 O\x01K\r\nContent-Length: 0\r\n\r\n"],
  ["bare LF", "HTTP/1.1 200 OK\nContent-Length: 0\n\n"],
  ["bare CR in a value", `${ok}X-A: 1\r2\r\nContent-Length: 0\r\n\r\n`],
  ["NUL in a value", `${ok}X-A: 1\x002\r\nContent-Length: 0\r\n\r\n`],
  ["a control character in a value", `${ok}X-A: 1\x012\r\nContent-Length: 0\r\n\r\n`],
  ["a space before the colon", `${ok}X-A : 1\r\nContent-Length: 0\r\n\r\n`],
  ["an empty name", `${ok}: 1\r\nContent-Length: 0\r\n\r\n`],
  ["a delimiter in a name", `${ok}X@A: 1\r\nContent-Length: 0\r\n\r\n`],
  ["a line without a colon", `${ok}NoColon\r\nContent-Length: 0\r\n\r\n`],
  ["a folded line", `${ok}X-A: 1\r\n 2\r\nContent-Length: 0\r\n\r\n`],
  ["both lengths", `${ok}Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  ["two different lengths", `${ok}Content-Length: 0\r\nContent-Length: 5\r\n\r\nhello`],
  ["a length list", `${ok}Content-Length: 0, 0\r\n\r\n`],
  ["a signed length", `${ok}Content-Length: +0\r\n\r\n`],
  ["an empty length", `${ok}Content-Length:\r\n\r\n`],
  ["a length with a letter", `${ok}Content-Length: 0x0\r\n\r\n`],
  ["a length beyond 64 bits", `${ok}Content-Length: 18446744073709551616\r\n\r\n`],
  ["an unknown transfer coding", `${ok}Transfer-Encoding: gzip\r\n\r\n`],
  ["chunked before another coding", `${ok}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n`],
  ["chunked twice", `${ok}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
];

const malformedChunks: readonly (readonly [title: string, wire: string])[] = [
  ["a size that is no number", "zz\r\n"],
  ["a size with a sign", "+2\r\nok\r\n0\r\n\r\n"],
  ["a size with 0x", "0x2\r\nok\r\n0\r\n\r\n"],
  ["a size with a space before it", " 2\r\nok\r\n0\r\n\r\n"],
  ["an empty size", "\r\nok\r\n0\r\n\r\n"],
  ["a size beyond 64 bits", "ffffffffffffffff2\r\nok"],
  ["a size line ended by LF", "2\nok\r\n0\r\n\r\n"],
  ["a chunk without its end", "2\r\nokay\r\n0\r\n\r\n"],
  ["a bare LF after a chunk", "2\r\nok\n0\r\n\r\n"],
  ["a trailer without a colon", "0\r\nNoColon\r\n\r\n"],
];

/** Everything that can go wrong, and what the error says. */
export const destinationFailures: DestinationPart = {
  title: "failure",
  define({ test, destination, client, send }) {
    test("of a refused connection sent nothing", async () => {
      const server = createServer().listen(0, "127.0.0.1");
      await new Promise((resolve) => server.on("listening", resolve));
      const { port } = server.address() as AddressInfo;
      await new Promise((resolve) => server.close(resolve));
      const body = new MemoryBody(["x"], { length: 1 });
      const error = await send(client(port), { body }).failure;
      expect(error).toBeInstanceOf(DestinationError);
      expect(error).toMatchObject({ step: "connect", source: "destination", requestSent: false, timedOut: false, overloaded: false });
      // Untouched, so that the same request can go to another destination.
      expect([body.started, body.cancelled]).toEqual([false, false]);
    });

    test("by a destination that closes without an answer", async () => {
      const there = await destination();
      const call = send(client(there));
      const peer = await there.accept();
      await peer.readRequest();
      peer.wire.end();
      expect(await call.failure).toMatchObject({ source: "destination", requestSent: true });
    });

    test("by a destination that closes in the middle of its head", async () => {
      const there = await destination();
      const call = send(client(there));
      const peer = await there.accept();
      await peer.readRequest();
      peer.write("HTTP/1.1 200 OK\r\nX-A");
      peer.wire.end();
      expect(await call.failure).toMatchObject({ source: "destination", requestSent: true });
      expect(call.head).toBeUndefined();
    });

    for (const how of ["end", "reset"] as const) {
      test(`by a body by length that breaks off with ${how}`, async () => {
        const there = await destination();
        const call = send(client(there));
        const peer = await there.accept();
        await peer.readRequest();
        peer.write(`${ok}Content-Length: 10\r\n\r\nhello`);
        await call.firstData;
        peer.wire[how]();
        expect(await call.failure).toMatchObject({ step: "response-body", source: "destination", requestSent: true });
        expect(call.body).toBe("hello");
      });

      test(`by a body in chunks that breaks off with ${how}`, async () => {
        const there = await destination();
        const call = send(client(there));
        const peer = await there.accept();
        await peer.readRequest();
        peer.write(`${ok}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`);
        await call.firstData;
        peer.wire[how]();
        expect(await call.failure).toMatchObject({ step: "response-body", source: "destination" });
      });
    }

    test("by a reset of a body that ends with the connection", async () => {
      const there = await destination();
      const call = send(client(there));
      const peer = await there.accept();
      await peer.readRequest();
      peer.write("HTTP/1.1 200 OK\r\n\r\nhello");
      await call.firstData;
      peer.wire.reset();
      expect(await call.failure).toMatchObject({ step: "response-body" });
    });

    test("by a reset that comes with the last bytes of such a body", async () => {
      const there = await destination();
      const call = send(client(there));
      const peer = await there.accept();
      await peer.readRequest();
      peer.write("HTTP/1.1 200 OK\r\n\r\nhello");
      peer.wire.reset();
      expect(await call.failure).toMatchObject({ source: "destination" });
    });

    for (const [title, wire] of malformedHeads) {
      test(`by a head with ${title}`, async () => {
        const there = await destination();
        const call = send(client(there));
        const peer = await there.accept();
        await peer.readRequest();
        peer.write(wire);
        expect(await call.failure).toMatchObject({ source: "destination", requestSent: true });
        expect(call.head).toBeUndefined();
        await until(() => peer.socket.readableEnded || peer.socket.destroyed);
      });
    }

    for (const [title, wire] of malformedChunks) {
      test(`by a chunked body with ${title}`, async () => {
        const there = await destination();
        const call = send(client(there));
        const peer = await there.accept();
        await peer.readRequest();
        peer.write(`${ok}Transfer-Encoding: chunked\r\n\r\n`);
        await call.responded;
        peer.write(wire);
        expect(await call.failure).toMatchObject({ step: "response-body", source: "destination" });
        await until(() => peer.socket.readableEnded || peer.socket.destroyed);
      });
    }

    test("by a head larger than the limit", async () => {
      const there = await destination();
      const call = send(client(there, { maxResponseHeadersSize: 1024 }));
      const peer = await there.accept();
      await peer.readRequest();
      peer.write(`${ok}X-A: ${"a".repeat(2000)}\r\n`);
      expect(await call.failure).toMatchObject({ source: "destination", requestSent: true });
      await until(() => peer.socket.readableEnded || peer.socket.destroyed);
    });

    test("of the handler's own making: abort before, during and after the head cuts the connection, and nothing is told", async () => {
      const there = await destination();
      const one = client(there);
      for (const step of ["sent", "head", "body"]) {
        const body = new MemoryBody(["x"], { length: 10, held: true });
        const call = send(one, { body });
        const peer = await there.accept();
        await peer.readRequest();
        if (step !== "sent") {
          peer.write(`${ok}Content-Length: 10\r\n\r\n${step === "body" ? "hello" : ""}`);
          await (step === "body" ? call.firstData : call.responded);
        }
        call.call.abort(new Error("client left"));
        call.call.abort(new Error("twice"));
        call.call.pause();
        call.call.resume();
        await until(() => peer.socket.readableEnded || peer.socket.destroyed);
        await until(() => body.cancelled);
        await turns(2);
        expect(call.finals).toBe(0);
      }
    });

    test("of the handler's own making: abort from within its own calls", async () => {
      const there = await destination();
      const one = client(there);
      for (const step of ["onResponse", "onData"] as const) {
        const call = send(one);
        const known = call[step].bind(call) as (argument: never) => boolean | void;
        call[step] = (argument: never) => {
          known(argument);
          call.call.abort(new Error("enough"));
          return true;
        };
        const peer = await there.accept();
        await peer.readRequest();
        peer.write(`${ok}Content-Length: 5\r\n\r\nhello`);
        await until(() => peer.socket.readableEnded || peer.socket.destroyed);
        await turns(2);
        expect(call.finals).toBe(0);
      }
    });

    test("of the handler's own making: abort right after send lets nothing of the request out", async () => {
      const there = await destination();
      const one = client(there);
      const call = send(one, { target: "/1" });
      call.call.abort(new Error("enough"));
      const next = send(one, { target: "/2" });
      await until(() => there.peers.some((each) => each.wire.pendingSize > 0));
      const used = there.peers.find((each) => each.wire.pendingSize > 0) as RawPeer;
      expect((await used.readRequest()).target).toBe("/2");
      used.write(`${ok}Content-Length: 0\r\n\r\n`);
      await next.result;
      expect(call.finals).toBe(0);
      expect(there.peers.every((each) => each.wire.pendingSize === 0)).toBe(true);
    });
  },
};
