/** How a connection is closed when its client wants no more: at once only where no byte can come that makes a reset of it (RFC 9112, 9.6). */
import { describe, expect, test } from "vitest";
import { type Exchange, HeaderList, type TlsInfo } from "../../src/index.ts";
import { openInMemory } from "./memory-connection.ts";
import { answer, serve } from "./serve.ts";

const close = "HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n";
const tls: TlsInfo = {
  serverName: undefined, alpnProtocol: undefined, protocol: "TLSv1.3", cipher: undefined, clientCertificate: undefined, clientCertificateAuthorized: false,
};

/** What became of the socket after the bytes `sent`. */
function endOf(sent: string, given: { readonly tls?: TlsInfo; readonly halfClosed?: boolean } = {}): "closed" | "ended" | "open" {
  const { socket, connection } = openInMemory(answer(200, "whole"), undefined, undefined, { tls: given.tls });
  connection.data(Buffer.from(sent));
  if (given.halfClosed === true) connection.ended();
  expect(socket.sent).toMatch(/Connection: close\r\n\r\n(whole)?$/);
  const end = socket.destroyed ? "closed" : socket.ended ? "ended" : "open";
  connection.closed();
  return end;
}

describe("behind its last answer a connection", () => {
  test.each([
    ["GET of HTTP/1.0", "GET / HTTP/1.0\r\n\r\n"],
    ["GET that asks for the end", `GET / ${close}\r\n`],
    ["HEAD that asks for the end", `HEAD / ${close}\r\n`],
  ])("is closed at once after a %s", (_, request) => {
    expect(endOf(request)).toBe("closed");
    expect(endOf(request, { halfClosed: true })).toBe("closed");
  });

  test.each([
    ["there is more behind the request", `GET / ${close}\r\nGET / ${close}\r\n`],
    ["content came that was not announced", "POST / HTTP/1.0\r\n\r\ncontent"],
    ["content may come that was not announced", "POST / HTTP/1.0\r\n\r\n"],
    ["the request has a body, though an empty one", `GET / ${close}Content-Length: 0\r\n\r\n`],
    ["nobody read the body of the request", `POST / ${close}Content-Length: 9\r\n\r\nabc`],
    ["a body that nobody read is whole", `POST / ${close}Content-Length: 3\r\n\r\nabc`],
    ["the request was refused", "BAD\r\n\r\n"],
  ])("is ended, and read on, where %s", (_, sent) => {
    expect(endOf(sent)).toBe("ended");
  });

  test("is ended over TLS, which says that nothing was cut off", () => {
    expect(endOf(`GET / ${close}\r\n`, { tls })).toBe("ended");
  });
});

describe("the answer to a body of which the rest is not read", () => {
  const post = (length: number): string => `POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${length}\r\n\r\n`;

  test("is the last one when too much of it was dropped already", () => {
    const { socket, connection } = openInMemory(answer(403, "no"));
    connection.data(Buffer.from(post(100_000) + "x".repeat(70_000)));
    expect(socket.sent).toMatch(/^HTTP\/1\.1 403 [^]*\r\nConnection: close\r\n\r\nno$/);
    expect([socket.ended, socket.destroyed]).toEqual([true, false]);
    connection.closed();
  });

  test("is the last one when the body is beyond its limit", () => {
    const { socket, connection } = openInMemory(({ body, response }) => {
      body?.read({
        onData: () => undefined,
        onEnd: () => undefined,
        onError: () => response.send({ status: 413, headers: new HeaderList() }, "large"),
      });
    }, { maxRequestBodySize: 10 });
    connection.data(Buffer.from(post(20)));
    expect(socket.sent).toMatch(/^HTTP\/1\.1 413 [^]*\r\nConnection: close\r\n\r\nlarge$/);
    expect([socket.ended, socket.destroyed]).toEqual([true, false]);
    connection.closed();
  });
});

test("the answer to a body that nobody reads is not the last one when all of that came, however large it might be", () => {
  const { socket, connection } = openInMemory(answer(200), { maxRequestBodySize: 10 });
  const request = "POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n";
  connection.data(Buffer.from(`${request}14\r\n${"x".repeat(20)}\r\n0\r\n\r\n`));
  expect(socket.sent).toMatch(/^HTTP\/1\.1 200 /);
  expect([socket.sent.includes("Connection: close"), socket.ended]).toEqual([false, false]);
  connection.closed();
});

test("half a request behind the last whole one of a client that has half-closed is refused when its turn comes", () => {
  let first: Exchange | undefined;
  const { socket, connection } = openInMemory((exchange) => {
    first = exchange;
  });
  const get = "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n";
  connection.data(Buffer.from(get + get.slice(0, 20)));
  connection.ended();
  expect([socket.sent, socket.ended]).toEqual(["", false]);
  first?.response.send({ status: 200, headers: new HeaderList() });
  expect(socket.sent).toMatch(/^HTTP\/1\.1 200 [^]*HTTP\/1\.1 400 [^]*Connection: close\r\n\r\n$/);
  expect([socket.ended, socket.destroyed]).toEqual([true, false]);
  connection.closed();
});

test("the answer to content without a length reaches a client that goes on sending it", async () => {
  const { connect } = await serve(answer(403, "no"));
  const client = await connect();
  client.write("POST / HTTP/1.0\r\n\r\n");
  const megabyte = Buffer.alloc(1_048_576, "a");
  for (let i = 0; i < 4; i++) await client.sent(megabyte);
  expect((await client.readResponse()).status).toBe(403);
  client.end();
  expect(await client.closed).toBe("end");
});
