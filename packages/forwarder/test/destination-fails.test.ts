import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { expect, test } from "vitest";
// @boundaries-ignore the suite lives with its interface
import { ConnectionCutError } from "../../http/test/contract/raw-client.ts";
import { describeGateways } from "./doubles/gateway.ts";

const rest = "\r\n\r\n";
const get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

describeGateways("a destination that fails", (open) => {
  test("by refusing the connection is a 502, and sending again is safe", async () => {
    const gateway = await open({ prefix: `http://127.0.0.1:${await closedPort()}` });
    const client = await gateway.connect();
    client.write(get);
    const response = await client.readResponse();
    expect([response.status, response.body.length]).toEqual([502, 0]);
    const error = await gateway.outcome();
    expect([error?.code, error?.source, error?.retry]).toEqual(["Request", "destination", "safe"]);
    client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody");
    expect((await client.readResponse()).status).toBe(502);
    expect((await gateway.outcome())?.retry).toBe("safe");
  });

  const beforeHead: readonly (readonly [string, string, string])[] = [
    ["by closing without an answer", "", "Request"],
    ["by closing in the middle of the head", "HTTP/1.1 200 OK\r\nX-Pa", "Request"],
    ["by what is not HTTP", "SSH-2.0-OpenSSH\r\n\r\n", "ResponseHeaders"],
    ["by a bad status line", "HTTP/1.1 2x0 OK\r\n\r\n", "ResponseHeaders"],
    ["by two lengths that differ", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "ResponseHeaders"],
    ["by a head without bounds", `HTTP/1.1 200 OK\r\n${`X-Long: ${"x".repeat(8000)}\r\n`.repeat(9)}\r\n`, "ResponseHeaders"],
  ];
  for (const [title, bytes, code] of beforeHead) {
    test(`${title} is a 502, and the client goes on`, async () => {
      const gateway = await open();
      const client = await gateway.connect();
      client.write(get);
      const connection = await gateway.destination.accept();
      await connection.readUntil(rest);
      connection.write(bytes);
      connection.end();
      const response = await client.readResponse();
      expect([response.status, response.body.length, response.header("x-long")]).toEqual([502, 0, undefined]);
      const error = await gateway.outcome();
      expect([error?.code, error?.source, error?.retry]).toEqual([code, "destination", "never"]);
      client.write(get);
      const second = await gateway.destination.accept();
      await second.readUntil(rest);
      second.write("HTTP/1.1 204 No Content\r\n\r\n");
      expect((await client.readResponse()).status).toBe(204);
    });
  }

  test("by a reset before the head is a 502", async () => {
    const gateway = await open();
    const client = await gateway.connect();
    client.write(get);
    const connection = await gateway.destination.accept();
    await connection.readUntil(rest);
    connection.reset();
    expect((await client.readResponse()).status).toBe(502);
    expect((await gateway.outcome())?.code).toBe("Request");
  });

  test("by a reset in the middle of the request body is a 502", async () => {
    const gateway = await open();
    const client = await gateway.connect();
    client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\npart");
    const connection = await gateway.destination.accept();
    await connection.readUntil("part");
    connection.reset();
    expect((await client.readResponse()).status).toBe(502);
    expect((await gateway.outcome())?.code).toMatch(/^(Request|RequestBodyDestination)$/u);
  });

  const midBody: readonly (readonly [string, string, "end" | "reset"])[] = [
    ["a close before the whole length", "Content-Length: 100\r\n\r\npart", "end"],
    ["a reset in a body with a length", "Content-Length: 100\r\n\r\npart", "reset"],
    ["a close in the middle of a chunk", "Transfer-Encoding: chunked\r\n\r\n20\r\npart", "end"],
    ["a close before the last chunk", "Transfer-Encoding: chunked\r\n\r\n4\r\npart\r\n", "end"],
    ["a chunk that is none", "Transfer-Encoding: chunked\r\n\r\n4\r\npart\r\nzz\r\n", "end"],
  ];
  for (const [title, bytes, how] of midBody) {
    test(`by ${title} never looks complete to the client`, async () => {
      const gateway = await open();
      const client = await gateway.connect();
      client.write(get);
      const connection = await gateway.destination.accept();
      await connection.readUntil(rest);
      const mark = bytes.indexOf("part") + 4;
      connection.write(`HTTP/1.1 200 OK\r\n${bytes.slice(0, mark)}`);
      const head = await client.readUntil("part");
      expect(head).toContain("200 OK");
      connection.write(bytes.slice(mark));
      connection[how]();
      const left = await client.readToEnd().catch((error: unknown) => {
        expect(error).toBeInstanceOf(ConnectionCutError);
        return Buffer.alloc(0);
      });
      expect(left.toString("latin1")).not.toContain("0\r\n\r\n");
      const error = await gateway.outcome();
      expect([error?.code, error?.status]).toEqual(["ResponseBodyDestination", undefined]);
    });
  }

  test("by silence before the head is a 504 after the activity timeout", async () => {
    const gateway = await open({ activityTimeout: 60 });
    const client = await gateway.connect();
    client.write(get);
    const connection = await gateway.destination.accept();
    expect((await client.readResponse()).status).toBe(504);
    expect((await gateway.outcome())?.code).toBe("RequestTimedOut");
    await connection.ended;
  });

  test("by silence in the middle of the body ends in a cut", async () => {
    const gateway = await open({ activityTimeout: 60 });
    const client = await gateway.connect();
    client.write(get);
    const connection = await gateway.destination.accept();
    await connection.readUntil(rest);
    connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart");
    await client.readUntil("part");
    await client.ended;
    const error = await gateway.outcome();
    expect([error?.code, error?.source]).toEqual(["ResponseBodyDestination", "destination"]);
  });

  test("by being slower than the route allows is a 504 of its own kind", async () => {
    const gateway = await open({ timeout: 50 });
    const client = await gateway.connect();
    client.write(get);
    const connection = await gateway.destination.accept();
    expect((await client.readResponse()).status).toBe(504);
    expect((await gateway.outcome())?.code).toBe("RouteTimeout");
    await connection.ended;
  });

  test("by answering before it has read the body gets its answer through", async () => {
    const gateway = await open();
    const client = await gateway.connect();
    client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\npart");
    const connection = await gateway.destination.accept();
    await connection.readUntil("part");
    connection.write("HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig");
    const response = await client.readResponse();
    expect([response.status, response.body.toString()]).toEqual([413, "big"]);
    expect(await gateway.outcome()).toBeUndefined();
  });
});

/** A port where nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
