import { once } from "node:events";
import { connect, TLSSocket } from "node:tls";
import { expect, test, vi } from "vitest";
import { createTlsServer, FrontTls, HeaderList } from "../../src/index.ts";
import { localhost } from "./fixtures.ts";

test("each response of a connection over TLS is one write, and nothing is written to learn that it has left", async () => {
  let completed = 0;
  const server = createTlsServer({
    tls: new FrontTls({ certificate: localhost }),
    handler: (exchange) => {
      exchange.onComplete(() => completed++);
      exchange.response.send({ status: 200, headers: new HeaderList() }, "body");
    },
  });
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  const writes: number[] = [];
  const write = vi.spyOn(TLSSocket.prototype, "write").mockImplementation(function (this: TLSSocket, ...args: unknown[]) {
    if (this !== client) writes.push((args[0] as string | Uint8Array).length);
    return Reflect.apply(plain, this, args) as boolean;
  });
  const plain = Object.getPrototypeOf(TLSSocket.prototype).write as (...args: unknown[]) => boolean;
  const client: TLSSocket = connect({ port, host: "127.0.0.1", servername: "localhost", ca: localhost.cert });
  try {
    await once(client, "secureConnect");
    for (let i = 1; i <= 3; i++) {
      client.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
      const [chunk] = (await once(client, "data")) as [Buffer];
      expect(chunk.toString("latin1")).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nbody$/);
      // The next request is taken when the last response has left.
      expect(writes).toHaveLength(i);
    }
    expect(writes.every((length) => length > 0)).toBe(true);
    await expect.poll(() => completed).toBe(3);
  } finally {
    write.mockRestore();
    client.destroy();
    await server.close(100);
  }
});
