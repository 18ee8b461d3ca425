import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { createReverseProxy, type ReverseProxy } from "@proxy/pipeline";
import { expect, it } from "vitest";

const switching = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
const answer = Buffer.from("88820000000003e9", "hex");

/** Bytes that came, until they are enough. */
async function read(socket: Socket, enough: (bytes: Buffer) => boolean): Promise<Buffer> {
  let bytes = Buffer.alloc(0);
  while (!enough(bytes)) bytes = Buffer.concat([bytes, ((await once(socket, "data")) as [Buffer])[0]]);
  return bytes;
}

it.each([
  ["tells the WebSockets of somebody else's server, and waits for their end", (proxy: ReverseProxy) => proxy.close()],
  ["tells the WebSockets of a destination that drains, where that is asked for", (proxy: ReverseProxy) => {
    void proxy.drain("c", "d");
    return proxy.drain("c", "d", { webSockets: "farewell" });
  }],
])("%s", async (_, end) => {
  const destination = createServer().listen(0, "127.0.0.1");
  await once(destination, "listening");
  const proxy = await createReverseProxy({
    config: {
      routes: { r: { clusterId: "c", match: { path: "{**rest}" } } },
      clusters: { c: { destinations: { d: { address: `http://127.0.0.1:${(destination.address() as AddressInfo).port}` } } } },
    },
  });
  const server = createHttpServer(proxy.nodeHandler).on("upgrade", proxy.nodeUpgradeHandler).listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
  client.write("GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  const [there] = (await once(destination, "connection")) as [Socket];
  const isHead = (bytes: Buffer): boolean => bytes.includes("\r\n\r\n");
  await read(there, isHead);
  there.write(switching);
  expect((await read(client, isHead)).toString("latin1", 0, 12)).toBe("HTTP/1.1 101");

  const [toClient, toDestination] = [read(client, ({ length }) => length >= 4), read(there, ({ length }) => length >= 8)];
  const closing = end(proxy);
  expect((await toClient).toString("hex")).toBe("880203e9");
  const masked = await toDestination;
  expect([masked[0], masked[1], (masked[6] as number) ^ (masked[2] as number), (masked[7] as number) ^ (masked[3] as number)]).toEqual([0x88, 0x82, 0x03, 0xe9]);
  client.write(answer);
  there.write(Buffer.from("880203e9", "hex"));
  there.end();
  await closing;
  client.destroy();
  there.destroy();
  await proxy.close();
  server.close();
  destination.close();
});
