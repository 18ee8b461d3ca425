import { describe, expect, test } from "vitest";
import { BadRequestError, type Exchange, HeaderList } from "../../src/index.ts";
import { signal, until } from "../contract/recorders.ts";
import { answer, get, serve } from "./serve.ts";

describe("a client", () => {
  test("that sends nothing is left alone until the head timeout, then closed without a word", async () => {
    const { advance, connect, server } = await serve(answer(200));
    const client = await connect();
    await until(() => server.connectionCount === 1);
    advance(29_000);
    client.write(get);
    expect((await client.readResponse()).status).toBe(200);
    const other = await connect();
    await until(() => server.connectionCount === 2);
    advance(31_000);
    expect((await other.readToEnd()).length).toBe(0);
  });

  test("that sends its head byte by byte is given one time for all of it", async () => {
    const { advance, connect, server } = await serve(answer(200));
    const client = await connect();
    await until(() => server.connectionCount === 1);
    for (const piece of ["GET / HTTP/1.1\r\n", "Host: a.test\r\n", "X: "]) {
      await client.sent(piece);
      advance(9000);
    }
    await client.sent("a");
    advance(4000);
    expect((await client.readResponse()).status).toBe(408);
    await client.ended;
  });

  test("that idles between requests is closed after the keep-alive timeout", async () => {
    const { advance, connect } = await serve(answer(200));
    const client = await connect();
    client.write(get);
    await client.readResponse();
    advance(120_000);
    client.write(get);
    await client.readResponse();
    advance(131_000);
    expect((await client.readToEnd()).length).toBe(0);
  });

  test("that sends a body more slowly than the minimum is told to its reader after the grace period", async () => {
    const error = signal<Error>();
    const came = signal();
    const { advance, looked, connect, faults } = await serve((exchange) => {
      exchange.body?.read({
        onData() {
          came.resolve();
          return true;
        },
        onEnd: () => undefined,
        onError(cause) {
          error.resolve(cause);
          exchange.response.send({ status: 408, headers: new HeaderList() });
        },
      });
    });
    const client = await connect();
    client.write("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 100000\r\n\r\nabc");
    let settled = false;
    void error.promise.then(() => (settled = true));
    await came.promise;
    advance(4000);
    await looked();
    expect(settled).toBe(false);
    advance(2000);
    expect(await error.promise).toMatchObject({ name: "BadRequestError", status: 408 });
    const response = await client.readResponse();
    expect([response.status, response.header("connection")]).toEqual([408, "close"]);
    await client.ended;
    expect(faults[0]).toBeInstanceOf(BadRequestError);
  });

  test("is not judged for the time in which its body was held back", async () => {
    let exchange: Exchange | undefined;
    const started = signal();
    const { advance, looked, connect } = await serve((given) => {
      exchange = given;
      given.body?.read({
        onData: () => true,
        onEnd: () => given.response.send({ status: 200, headers: new HeaderList() }),
        onError: () => given.response.send({ status: 408, headers: new HeaderList() }),
      });
      given.body?.pause();
      started.resolve();
    });
    const client = await connect();
    client.write("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 3\r\n\r\n");
    await started.promise;
    advance(60_000);
    await looked();
    exchange?.body?.resume();
    client.write("abc");
    expect((await client.readResponse()).status).toBe(200);
  });

  test("that does not read its response is reset once it falls below the minimum rate", async () => {
    const gone = signal<Error>();
    const wrote = signal();
    const { advance, connect, server } = await serve((exchange) => {
      exchange.onClientGone(gone.resolve);
      exchange.response.start({ status: 200, headers: new HeaderList() });
      while (exchange.response.write(Buffer.alloc(65_536))) { /* until the buffers are full */ }
      wrote.resolve();
    });
    const client = await connect();
    client.socket.pause();
    client.write(get);
    await wrote.promise;
    advance(6000 + (2 * 65_536 * 1000) / 240);
    await gone.promise;
    await until(() => server.connectionCount === 0);
  });

  test("that reads fast enough is not judged by what was written after its time began", async () => {
    const size = 16 * 1024 * 1024;
    const allowed = 6000 + (size * 1000) / 240;
    let exchange: Exchange | undefined;
    const { advance, looked, connect, server, faults } = await serve((given) => {
      exchange = given;
      given.response.start({ status: 200, headers: new HeaderList() });
      given.response.write(Buffer.alloc(size));
    }, { maxResponseBufferSize: 4 * size });
    const client = await connect();
    client.socket.pause();
    client.write(get);
    await until(() => (exchange?.response.pending ?? 0) > 0);
    client.socket.resume();
    await until(() => exchange?.response.pending === 0);
    client.socket.pause();
    exchange?.response.write(Buffer.alloc(size));
    advance(allowed);
    await looked();
    expect([server.connectionCount, faults]).toEqual([1, []]);
    advance(allowed);
    await until(() => server.connectionCount === 0);
    expect(faults).toMatchObject([{ message: "the client reads too slowly" }]);
  });

  test("that half-closes behind a partial head is closed with its last answer", async () => {
    let exchange: Exchange | undefined;
    const { connect, looked, server } = await serve((given) => {
      exchange = given;
    });
    const client = await connect();
    client.write(`${get}GET / HT`);
    client.end();
    await until(() => exchange !== undefined);
    await looked();
    exchange?.response.send({ status: 200, headers: new HeaderList() });
    expect([(await client.readResponse()).status, (await client.readResponse()).status]).toEqual([200, 400]);
    await client.closed;
    await until(() => server.connectionCount === 0);
  });

  test.each([
    ["with its last pipelined request", `${get}${get}`, false],
    ["while its body is held back", "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 3\r\n\r\nabc", true],
  ])("that leaves %s counts as gone after a while", async (_title, sent, hold) => {
    const exchanges: Exchange[] = [];
    const gone = signal<Error>();
    const { advance, connect, looked, server } = await serve((exchange) => {
      exchanges.push(exchange);
      exchange.onClientGone(gone.resolve);
      exchange.body?.read({ onData: () => true, onEnd: () => undefined, onError: () => undefined });
      exchange.body?.pause();
    });
    const client = await connect();
    client.write(sent);
    client.end();
    await until(() => exchanges.length === 1);
    await looked();
    if (hold) exchanges[0]?.body?.resume();
    else exchanges[0]?.response.send({ status: 200, headers: new HeaderList() });
    await looked();
    advance(3000);
    expect(await gone.promise).toBeInstanceOf(Error);
    await until(() => server.connectionCount === 0);
  });

  test.each([
    ["HTTP/1.0", "GET / HTTP/1.0\r\n\r\n"],
    ["HTTP/1.1", "GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n"],
  ])("that asks for the end of the connection over %s and has no body to send is not waited for", async (_, request) => {
    const { connect, server } = await serve(answer(200, "a".repeat(100_000)));
    const client = await connect();
    client.write(request);
    expect((await client.readToEnd()).length).toBeGreaterThan(100_000);
    await until(() => server.connectionCount === 0);
    expect(await client.closed).toBe("end");
  });

  test("that does not close after the last answer is closed after a while", async () => {
    const { advance, connect, server } = await serve(answer(200));
    const client = await connect();
    client.write("POST / HTTP/1.0\r\nContent-Length: 1\r\n\r\na");
    await client.readToEnd();
    expect(server.connectionCount).toBe(1);
    advance(6000);
    await until(() => server.connectionCount === 0);
  });
});
