import { expect, test } from "vitest";
import { emptyTransformer } from "../src/index.ts";
import { describeGateways } from "./doubles/gateway.ts";

const rest = "\r\n\r\n";

describeGateways("header lines", (open, { client: transport }) => {
  test("a destination gets case, order and repetition, and the path in its own bytes", async () => {
    const gateway = await open({ transformer: emptyTransformer });
    const client = await gateway.connect();
    client.write("GET /a%2Fb/%7Euser?x=%20&y HTTP/1.1\r\nHost: Client.Example\r\nX-Two: b\r\nACCEPT: a\r\nx-two: a\r\nX-Obs: caf\xc3\xa9\xff\r\n\r\n");
    const connection = await gateway.destination.accept();
    const lines = (await connection.readUntil(rest)).split("\r\n").slice(0, -2);
    expect(lines[0]).toBe("GET /a%2Fb/%7Euser?x=%20&y HTTP/1.1");
    expect(lines.slice(1).filter((line) => !/^(host|connection):/iu.test(line))).toEqual([
      "X-Two: b",
      "ACCEPT: a",
      "x-two: a",
      "X-Obs: caf\xc3\xa9\xff",
    ]);
    expect(lines.find((line) => /^host:/iu.test(line))?.slice(6)).toBe("Client.Example");
    connection.write("HTTP/1.1 200 Fine\r\nSet-Cookie: a=1\r\nx-UPPER: 1\r\nSet-Cookie: b=2\r\nX-Obs: \xe9\xff\r\nContent-Length: 0\r\n\r\n");
    const response = await client.readResponse();
    expect([response.status, response.reason]).toEqual([200, "Fine"]);
    const own = new Set(["date", "connection", "keep-alive"]);
    expect(response.headers.filter(([name]) => !own.has(name.toLowerCase()))).toEqual([
      ["Set-Cookie", "a=1"],
      ["x-UPPER", "1"],
      ["Set-Cookie", "b=2"],
      ["X-Obs", "\xe9\xff"],
      ["Content-Length", "0"],
    ]);
    expect(await gateway.outcome()).toBeUndefined();
  });

  test.each([
    ["to HEAD", "HEAD / HTTP/1.1", "Transfer-Encoding: chunked\r\n\r\n", ""],
    ["in HTTP/1.0", "GET / HTTP/1.0", "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n", "ok"],
    ["with a length", "GET / HTTP/1.1", "Content-Length: 2\r\n\r\nok", "ok"],
    ["without content", "GET / HTTP/1.1", "Content-Length: 0\r\n\r\n", ""],
  ])("a response that announces trailers is passed on %s", async (_, line, answer, body) => {
    const gateway = await open();
    const client = await gateway.connect();
    client.write(`${line}\r\nHost: a\r\nConnection: close\r\n\r\n`);
    const connection = await gateway.destination.accept();
    await connection.readUntil(rest);
    connection.write(`HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\n${answer}`);
    const response = await client.readResponse(line.slice(0, line.indexOf(" ")));
    expect([response.status, response.body.toString()]).toEqual([200, body]);
    expect(await gateway.outcome()).toBeUndefined();
  });

  test("fields named by Connection pass in neither direction", async () => {
    const gateway = await open();
    const client = await gateway.connect();
    client.write("GET / HTTP/1.1\r\nHost: a\r\nConnection: X-Hop, host\r\nConnection: x-Hop-2,,\r\nX-Hop: 1\r\nx-hop-2: 2\r\nX-Stay: 3\r\n\r\n");
    const connection = await gateway.destination.accept();
    const head = (await connection.readUntil(rest)).toLowerCase();
    expect(head).not.toContain("x-hop");
    expect(head).toContain("\r\nx-stay: 3\r\n");
    expect(head).toContain(`\r\nhost: 127.0.0.1:${gateway.destination.port}\r\n`);
    connection.write("HTTP/1.1 200 OK\r\nConnection: X-Hop\r\nX-Hop: 1\r\nX-Stay: 2\r\nContent-Length: 0\r\n\r\n");
    const response = await client.readResponse();
    expect([response.header("x-hop"), response.header("x-stay")]).toEqual([undefined, "2"]);
    await gateway.outcome();
  });

  test("what a client says of itself with X-Forwarded fields is not believed", async () => {
    const gateway = await open();
    const client = await gateway.connect();
    client.write("GET / HTTP/1.1\r\nHost: shop.example:81\r\nX-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Prefix: /evil\r\nForwarded: for=6.6.6.6\r\nConnection: X-Forwarded-Host\r\n\r\n");
    const connection = await gateway.destination.accept();
    const head = await connection.readUntil(rest);
    const forwarded = head.split("\r\n").filter((line) => /forwarded/iu.test(line));
    expect(forwarded).toEqual(["X-Forwarded-For: 127.0.0.1", "X-Forwarded-Host: shop.example:81", "X-Forwarded-Proto: http"]);
    connection.write("HTTP/1.1 204 No Content\r\n\r\n");
    expect((await client.readResponse()).status).toBe(204);
    await gateway.outcome();
  });

  test("a control character in a destination's field is a 502, and none of its fields pass", async () => {
    const gateway = await open();
    const client = await gateway.connect();
    client.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    const connection = await gateway.destination.accept();
    await connection.readUntil(rest);
    connection.write("HTTP/1.1 200 OK\r\nX-First: 1\r\nX-Bad: a\x01b\r\nContent-Length: 0\r\n\r\n");
    const response = await client.readResponse();
    expect([response.status, response.header("x-first"), response.body.length]).toEqual([502, undefined, 0]);
    expect((await gateway.outcome())?.code).toBe("ResponseHeaders");
    await connection.ended;
  });

  test("a request body goes with its framing, trailers of a response come through", async () => {
    const gateway = await open();
    const client = await gateway.connect();
    client.write("POST /up HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
    const connection = await gateway.destination.accept();
    const head = (await connection.readUntil(rest)).toLowerCase();
    if (transport === "engine") {
      expect(head).toContain("\r\ntransfer-encoding: chunked\r\n");
      expect(await connection.readUntil("\r\n0\r\n\r\n")).toContain("5\r\nhello");
    } else {
      // undici knows the length of what is there as a whole when it begins.
      expect(head).toContain("\r\ncontent-length: 5\r\n");
      expect((await connection.readBytes(5)).toString()).toBe("hello");
    }
    connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 7\r\nAuthorization: x\r\nSet-Cookie: no=1\r\n\r\n");
    const response = await client.readResponse();
    expect(response.body.toString()).toBe("hi");
    expect(response.trailers).toEqual([["X-Sum", "7"]]);
    expect(await gateway.outcome()).toBeUndefined();

    client.write("PUT /up HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
    const again = (await connection.readUntil(rest)).toLowerCase();
    expect(again).toContain("\r\ncontent-length: 3\r\n");
    expect(again).not.toContain("transfer-encoding");
    expect((await connection.readBytes(3)).toString()).toBe("abc");
    connection.write("HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok");
    const second = await client.readResponse();
    expect([second.status, second.framing, second.body.toString()]).toEqual([201, "length", "ok"]);
  });

  test("early hints reach the client before the answer", async () => {
    const gateway = await open();
    const client = await gateway.connect();
    client.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    const connection = await gateway.destination.accept();
    await connection.readUntil(rest);
    connection.write("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nConnection: X-Hop\r\nX-Hop: 1\r\n\r\n");
    const hints = await client.readHead();
    expect([hints.status, hints.header("link"), hints.header("x-hop")]).toEqual([103, "</a.css>", undefined]);
    connection.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    expect((await client.readResponse()).status).toBe(200);
  });

  test("HEAD keeps the length, 304 has no body, and the connection is used on", async () => {
    const gateway = await open();
    const client = await gateway.connect();
    client.write("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    let connection = await gateway.destination.accept();
    await connection.readUntil(rest);
    connection.write("HTTP/1.1 200 OK\r\nContent-Length: 1234\r\nX-Head: 1\r\n\r\n");
    const head = await client.readResponse("HEAD");
    expect([head.header("content-length"), head.header("x-head")]).toEqual(["1234", "1"]);
    client.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    // undici closes a connection after HEAD.
    if (transport === "undici") connection = await gateway.destination.accept();
    await connection.readUntil(rest);
    connection.write('HTTP/1.1 304 Not Modified\r\nETag: "1"\r\n\r\n');
    const unchanged = await client.readResponse();
    expect([unchanged.status, unchanged.header("etag")]).toEqual([304, '"1"']);
  });

  test("the head of a stream reaches the client before its first byte of content", async () => {
    const gateway = await open();
    const client = await gateway.connect();
    client.write("GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
    const connection = await gateway.destination.accept();
    await connection.readUntil(rest);
    connection.write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n");
    expect((await client.readHead()).status).toBe(200);
    connection.write("8\r\ndata: 1\n\r\n");
    expect(await client.readUntil("data: 1\n")).toContain("data: 1");
    connection.write("0\r\n\r\n");
    expect(await gateway.outcome()).toBeUndefined();
  });
});
