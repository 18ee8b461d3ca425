import { describe, expect, test } from "vitest";
import { until } from "../contract/recorders.ts";
import { answer, get, serve } from "./serve.ts";

const megabyte = Buffer.alloc(1_048_576, "a");

describe("an early answer", () => {
  test("to a bad head reaches a client that goes on sending megabytes", async () => {
    const { connect } = await serve(answer(200));
    const client = await connect();
    client.write("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1, 1\r\n\r\n");
    for (let i = 0; i < 4; i++) await client.sent(megabyte);
    client.end();
    expect((await client.readResponse()).status).toBe(400);
    expect(await client.closed).toBe("end");
  });

  test("to an upload that nobody wants reaches the client", async () => {
    const { connect } = await serve(answer(403, "no"));
    const client = await connect();
    client.write(`POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${4 * megabyte.length}\r\n\r\n`);
    for (let i = 0; i < 4; i++) await client.sent(megabyte);
    const response = await client.readResponse();
    expect([response.status, response.header("connection"), response.body.toString()]).toEqual([403, "close", "no"]);
    client.end();
    expect(await client.closed).toBe("end");
  });

  test("to a small body that nobody wants keeps the connection", async () => {
    const { connect } = await serve(answer(200));
    const client = await connect();
    client.write("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1000\r\n\r\n");
    expect((await client.readResponse()).header("connection")).toBeUndefined();
    client.write("b".repeat(1000) + get);
    expect((await client.readResponse()).status).toBe(200);
  });

  test("to a client that waits for 100 closes: nobody knows whether the body will come", async () => {
    const { connect } = await serve(answer(200));
    const client = await connect();
    client.write("POST / HTTP/1.1\r\nHost: a.test\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    const response = await client.readFinal();
    expect([response.status, response.header("connection"), response.interim]).toEqual([200, "close", []]);
    await client.ended;
  });

  test("does not let endless bytes in: after a bound the connection is cut", async () => {
    const { connect, server } = await serve(answer(200));
    const client = await connect();
    client.write("BAD\r\n\r\n");
    client.socket.on("error", () => undefined);
    const flood = (): void => {
      while (!client.socket.destroyed && client.socket.write(megabyte)) { /* as fast as it takes them */ }
      client.socket.once("drain", flood);
    };
    flood();
    await client.closed;
    await until(() => server.connectionCount === 0);
  });
});
