import { expect, test } from "vitest";
import { describeGateways, type Gateway } from "./doubles/gateway.ts";
// @boundaries-ignore the suite lives with its interface
import type { RawClient } from "../../http/test/contract/raw-client.ts";

const rest = "\r\n\r\n";
const handshake =
  "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
const accepted =
  "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

async function tunnel(gateway: Gateway): Promise<{ client: RawClient; connection: RawClient }> {
  const client = await gateway.connect();
  client.write(handshake);
  const connection = await gateway.destination.accept();
  await connection.readUntil(rest);
  connection.write(accepted);
  await client.readUntil(rest);
  return { client, connection };
}

describeGateways("upgrades", (open) => {
  test("a WebSocket handshake passes, and then every byte both ways", async () => {
    const gateway = await open();
    const client = await gateway.connect();
    client.write(handshake);
    const connection = await gateway.destination.accept();
    const head = (await connection.readUntil(rest)).toLowerCase();
    expect(head).toMatch(/^get \/chat http\/1\.1\r\n/u);
    expect(head).toContain("\r\nconnection: upgrade\r\n");
    expect(head).toContain("\r\nupgrade: websocket\r\n");
    expect(head).toContain("\r\nsec-websocket-key: dghlihnhbxbszsbub25jzq==\r\n");
    // The first frame may come with the head.
    connection.write(`${accepted}first`);
    const answer = await client.readHead();
    expect([answer.status, answer.header("connection")?.toLowerCase(), answer.header("upgrade")]).toEqual([101, "upgrade", "websocket"]);
    expect(answer.header("sec-websocket-accept")).toBe("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    expect((await client.readBytes(5)).toString()).toBe("first");
    const every = Buffer.from(Array.from({ length: 256 * 5 }, (_, index) => Math.floor(index / 5)));
    client.write(every);
    expect((await connection.readBytes(every.length)).equals(every)).toBe(true);
    connection.write(every);
    expect((await client.readBytes(every.length)).equals(every)).toBe(true);
    connection.end();
    await client.ended;
    expect(await gateway.outcome()).toBeUndefined();
  });

  test("a client's half-close is passed on, and the destination may finish", async () => {
    const gateway = await open();
    const { client, connection } = await tunnel(gateway);
    client.write("last words");
    client.end();
    expect((await connection.readToEnd()).toString()).toBe("last words");
    connection.write("answer");
    connection.end();
    expect((await client.readToEnd()).toString()).toBe("answer");
    expect(await gateway.outcome()).toBeUndefined();
  });

  test("an answer that is no upgrade is forwarded as it is", async () => {
    const gateway = await open();
    const client = await gateway.connect();
    client.write(handshake);
    const connection = await gateway.destination.accept();
    await connection.readUntil(rest);
    connection.write("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\nContent-Length: 2\r\n\r\nno");
    const response = await client.readResponse();
    expect([response.status, response.header("www-authenticate"), response.body.toString()]).toEqual([401, "Basic", "no"]);
    expect(await gateway.outcome()).toBeUndefined();
  });

  test("a POST that asks for WebSocket is refused with 400", async () => {
    const gateway = await open();
    const client = await gateway.connect();
    client.write("POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 0\r\n\r\n");
    expect((await client.readResponse()).status).toBe(400);
    const error = await gateway.outcome();
    expect([error?.code, error?.source]).toEqual(["RequestCreation", "client"]);
    expect(gateway.destination.connections).toHaveLength(0);
  });

  test("h2c and other protocols are dropped and the request forwarded as an ordinary one", async () => {
    const gateway = await open();
    const client = await gateway.connect();
    client.write("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n");
    const connection = await gateway.destination.accept();
    expect((await connection.readUntil(rest)).toLowerCase()).not.toMatch(/upgrade|http2-settings/u);
    connection.write("HTTP/1.1 204 No Content\r\n\r\n");
    expect((await client.readResponse()).status).toBe(204);
    await gateway.outcome();
  });

  test("a tunnel without traffic ends after the activity timeout", async () => {
    const gateway = await open({ activityTimeout: 80 });
    const { client, connection } = await tunnel(gateway);
    await Promise.all([client.ended, connection.ended]);
    expect((await gateway.outcome())?.code).toBe("UpgradeActivityTimeout");
  });

  test("a route's timeout ends with the upgrade", async () => {
    const gateway = await open({ timeout: 200 });
    const { client, connection } = await tunnel(gateway);
    for (let i = 0; i < 3; i++) {
      gateway.timers.advance(gateway.timers.ticks(200));
      client.write("x");
      await connection.readBytes(1);
    }
    connection.end();
    await client.ended;
    expect(await gateway.outcome()).toBeUndefined();
  });

  test("a client that resets ends the tunnel", async () => {
    const gateway = await open();
    const { client, connection } = await tunnel(gateway);
    client.reset();
    await connection.ended;
    const error = await gateway.outcome();
    expect(error?.code).toMatch(/^UpgradeRequest(Client|Canceled)$/u);
    expect(error?.source).toBe("client");
  });

  test("a destination that resets ends the tunnel", async () => {
    const gateway = await open();
    const { client, connection } = await tunnel(gateway);
    connection.reset();
    await client.ended;
    const error = await gateway.outcome();
    expect([error?.code, error?.source]).toEqual(["UpgradeResponseDestination", "destination"]);
  });

  test("a destination that switches to what was not asked for is a 502", async () => {
    const gateway = await open();
    const client = await gateway.connect();
    client.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    const connection = await gateway.destination.accept();
    await connection.readUntil(rest);
    connection.write(accepted);
    expect((await client.readResponse()).status).toBe(502);
    expect((await gateway.outcome())?.code).toBe("ResponseHeaders");
  });
});
