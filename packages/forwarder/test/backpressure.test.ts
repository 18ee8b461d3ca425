import { expect, test } from "vitest";
// @boundaries-ignore the suite lives with its interface
import { settled, until } from "../../http/test/contract/recorders.ts";
import { describeGateways } from "./doubles/gateway.ts";

const rest = "\r\n\r\n";
const chunk = Buffer.alloc(64 * 1024, "x");
const total = 440;
/** What may be under way: both socket buffers of the system (several MB each on loopback) and ours. */
const bound = 20 * 1024 * 1024;

describeGateways("backpressure", (open) => {
  test("a client that does not read stops the destination, and gets everything when it does", async () => {
    const gateway = await open();
    const client = await gateway.connect();
    client.socket.pause();
    client.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    const connection = await gateway.destination.accept();
    await connection.readUntil(rest);
    connection.write(`HTTP/1.1 200 OK\r\nContent-Length: ${chunk.length * total}\r\n\r\n`);
    for (let i = 0; i < total; i++) connection.write(chunk);
    await settled(() => connection.socket.writableLength);
    const underWay = chunk.length * total - connection.socket.writableLength;
    expect(underWay).toBeLessThan(bound);
    const [exchange] = gateway.exchanges;
    expect(exchange?.response.pending).toBeLessThan(2 * 1024 * 1024);
    let received = 0;
    client.socket.removeAllListeners("data");
    client.socket.on("data", (data: Buffer) => {
      received += data.length;
    });
    client.socket.resume();
    await until(() => received >= chunk.length * total);
    expect(await gateway.outcome()).toBeUndefined();
  });

  test("a destination that does not read stops the client, and gets everything when it does", async () => {
    const gateway = await open();
    const client = await gateway.connect();
    client.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${chunk.length * total}\r\n\r\n`);
    client.write(chunk);
    const connection = await gateway.destination.accept();
    connection.socket.pause();
    for (let i = 1; i < total; i++) client.write(chunk);
    await settled(() => client.socket.writableLength);
    expect(chunk.length * total - client.socket.writableLength).toBeLessThan(bound);
    let received = connection.pendingSize;
    connection.socket.removeAllListeners("data");
    connection.socket.on("data", (data: Buffer) => {
      received += data.length;
    });
    connection.socket.resume();
    await until(() => received >= chunk.length * total);
    connection.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    expect((await client.readResponse()).status).toBe(200);
    expect(await gateway.outcome()).toBeUndefined();
  });
});
