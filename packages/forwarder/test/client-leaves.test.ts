import { expect, test } from "vitest";
// @boundaries-ignore the suite lives with its interface
import { until } from "../../http/test/contract/recorders.ts";
import { describeGateways } from "./doubles/gateway.ts";

const rest = "\r\n\r\n";

describeGateways("a client that leaves", (open) => {
  test("before the destination answers takes its request back", async () => {
    const gateway = await open();
    const client = await gateway.connect();
    client.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    const connection = await gateway.destination.accept();
    await connection.readUntil(rest);
    client.reset();
    const error = await gateway.outcome();
    expect([error?.code, error?.source, error?.status]).toEqual(["RequestCanceled", "client", 400]);
    await connection.ended;
  });

  for (const how of ["reset", "destroy"] as const) {
    test(`by ${how} in the middle of its body takes its request back`, async () => {
      const gateway = await open();
      const client = await gateway.connect();
      client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\npart");
      const connection = await gateway.destination.accept();
      await connection.readUntil("part");
      client[how]();
      const error = await gateway.outcome();
      expect([error?.code, error?.source]).toEqual(["RequestBodyCanceled", "client"]);
      await connection.ended;
    });

    test(`by ${how} in the middle of the response stops the destination`, async () => {
      const gateway = await open();
      const client = await gateway.connect();
      client.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
      const connection = await gateway.destination.accept();
      await connection.readUntil(rest);
      connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\npart");
      await client.readUntil("part");
      client[how]();
      // A plain close is a half-close to the gateway until a write meets it.
      const more = setInterval(() => connection.write("x".repeat(1000)), 2);
      const error = await gateway.outcome();
      clearInterval(more);
      expect([error?.code, error?.source, error?.status]).toEqual(["ResponseBodyCanceled", "client", undefined]);
      await connection.ended;
    });
  }

  test("half-closing only is no leaving: it gets its answer", async () => {
    const gateway = await open();
    const client = await gateway.connect();
    client.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    client.end();
    const connection = await gateway.destination.accept();
    await connection.readUntil(rest);
    connection.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    expect((await client.readResponse()).body.toString()).toBe("ok");
    expect(await gateway.outcome()).toBeUndefined();
  });

  test("between two requests leaves the destination's connection for others", async () => {
    const gateway = await open();
    const first = await gateway.connect();
    first.write("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n");
    const connection = await gateway.destination.accept();
    await connection.readUntil(rest);
    connection.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    await first.readResponse();
    first.reset();
    const second = await gateway.connect();
    second.write("GET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
    expect(await connection.readUntil(rest)).toContain("GET /2 ");
    connection.write("HTTP/1.1 204 No Content\r\n\r\n");
    expect((await second.readResponse()).status).toBe(204);
    await until(() => gateway.outcomes.length === 2);
    expect(gateway.outcomes).toEqual([undefined, undefined]);
  });
});
