import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { ClientGoneError, HeaderList, type Exchange } from "../../src/index.ts";
import { ConnectionCutError, RawClient } from "./raw-client.ts";
import { collect, signal, turns } from "./recorders.ts";

/** Runs `use` with a client of `server`, and closes both. */
export async function withClient(server: Server, use: (client: RawClient) => Promise<void>): Promise<void> {
  if (!server.listening) await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const client = await RawClient.open((server.address() as AddressInfo).port);
  try {
    await use(client);
  } finally {
    client.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

/** What a wrapped exchange does inside any framework; `start` mounts the handler for every path. */
export function testWrappedExchanges(start: (handler: (exchange: Exchange) => unknown) => Promise<Server>): void {
  test("bodies pass both ways, with raw lines and trailers", async () => {
    const server = await start(async (exchange) => {
      const { bytes, trailers } = await collect(exchange.body);
      exchange.response.start({
        status: 201,
        headers: HeaderList.from([["X-b", "1"], ["X-Path", exchange.request.path], ["Set-Cookie", "a=1"], ["Set-Cookie", "b=2"]]),
      });
      exchange.response.write(bytes);
      exchange.response.end(HeaderList.from([["X-Got", String(trailers?.get("x-sum"))]]));
    });
    await withClient(server, async (client) => {
      for (let i = 0; i < 2; i++) {
        client.write("POST /a/%2e%2e/b%2Fc?q HTTP/1.1\r\nHost: a.test\r\nContent-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 7\r\n\r\n");
        const response = await client.readResponse("POST");
        expect([response.status, response.body.toString(), response.header("x-path")]).toEqual([201, "hello", "/b%2Fc"]);
        expect(response.headers.filter(([name]) => name === "Set-Cookie").map(([, value]) => value)).toEqual(["a=1", "b=2"]);
        expect(response.trailers).toEqual([["X-Got", "7"]]);
      }
    });
  });

  test("a large body goes through while both sides hold it back", async () => {
    const total = 4 * 1024 * 1024;
    const server = await start((exchange) => {
      const { body, response } = exchange;
      response.start({ status: 200, headers: HeaderList.from([["Content-Length", String(total)]]) });
      response.onDrain(() => body?.resume());
      body?.read({
        onData(chunk) {
          if (!response.write(chunk)) body.pause();
        },
        onEnd: () => response.end(),
        onError: (error) => response.abort(error),
      });
    });
    await withClient(server, async (client) => {
      const sent = Buffer.alloc(total, "0123456789abcdef");
      client.write(`PUT /big HTTP/1.1\r\nHost: a.test\r\nContent-Type: application/octet-stream\r\nContent-Length: ${total}\r\n\r\n`);
      client.write(sent);
      expect((await client.readResponse("PUT")).body.equals(sent)).toBe(true);
    });
  });

  test("an aborted response never looks whole", async () => {
    const server = await start((exchange) => {
      exchange.response.start({ status: 200, headers: new HeaderList() });
      exchange.response.write(Buffer.from("part"));
      setImmediate(() => exchange.response.abort(new Error("enough")));
    });
    await withClient(server, async (client) => {
      client.write("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
      await expect(client.readResponse()).rejects.toBeInstanceOf(ConnectionCutError);
    });
  });

  test("a client that leaves is told, and late calls do nothing", async () => {
    const arrived = signal<Exchange>();
    const server = await start((exchange) => arrived.resolve(exchange));
    await withClient(server, async (client) => {
      client.write("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
      const exchange = await arrived.promise;
      const gone = signal<Error>();
      exchange.onClientGone(gone.resolve);
      client.reset();
      expect(await gone.promise).toBeInstanceOf(ClientGoneError);
      exchange.response.send({ status: 200, headers: new HeaderList() }, "late");
      await turns(3);
    });
  });
}
