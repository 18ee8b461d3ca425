import { expect } from "vitest";
import { HeaderList, type Exchange } from "../../src/index.ts";
import type { ContractPart } from "./exchange-bench.ts";

const ok = { status: 200, headers: new HeaderList() };

/** What the head of a request looks like to a handler. */
export const requests: ContractPart = {
  title: "request head",
  define({ test, serve, connect }) {
    test("is presented as it stood on the wire", async () => {
      let seen: Exchange | undefined;
      const server = await serve((exchange) => {
        seen = exchange;
        exchange.response.send(ok, "");
      });
      const client = await connect(server);
      client.write("GET /a/%2e%2e/b%2Fc?d=e&f HTTP/1.1\r\nHoSt: Example.test:81\r\nX-b: 1\r\nx-A:  caf\xe9 \r\nX-B: 2\r\nX-Empty:\r\n\r\n");
      expect((await client.readResponse()).status).toBe(200);
      const { request, connection, body } = seen as Exchange;
      expect(request.method).toBe("GET");
      expect(request.target).toBe("/a/%2e%2e/b%2Fc?d=e&f");
      expect(request.path).toBe("/b%2Fc");
      expect(request.query).toBe("?d=e&f");
      expect(request.scheme).toBe("http");
      expect(request.authority).toBe("Example.test:81");
      expect(request.httpVersion).toBe("1.1");
      expect(request.headers.toRaw()).toEqual(["HoSt", "Example.test:81", "X-b", "1", "x-A", "caf\xe9", "X-B", "2", "X-Empty", ""]);
      expect(body).toBeUndefined();
      expect(connection.remoteAddress).toBe("127.0.0.1");
      expect(connection.remotePort).toBe(client.socket.localPort);
      expect(connection.localPort).toBe(server.port);
      expect(connection.tls).toBeUndefined();
    });

    test("of an absolute target takes its authority from there, and Host follows it", async () => {
      let seen: Exchange | undefined;
      const server = await serve((exchange) => {
        seen = exchange;
        exchange.response.send(ok, "");
      });
      const client = await connect(server);
      client.write("GET http://a.test:8080/x?y HTTP/1.1\r\nHost: b.test\r\n\r\n");
      expect((await client.readResponse()).status).toBe(200);
      const { request } = seen as Exchange;
      expect([request.authority, request.path, request.query]).toEqual(["a.test:8080", "/x", "?y"]);
      expect(request.headers.getAll("host")).toEqual(["a.test:8080"]);
    });

    test("of OPTIONS * has the path *", async () => {
      let path = "";
      const server = await serve((exchange) => {
        path = exchange.request.path;
        exchange.response.send(ok, "");
      });
      const client = await connect(server);
      client.write("OPTIONS * HTTP/1.1\r\nHost: a.test\r\n\r\n");
      expect((await client.readResponse()).status).toBe(200);
      expect(path).toBe("*");
    });

    test("of HTTP/1.0 may lack Host", async () => {
      let seen: Exchange | undefined;
      const server = await serve((exchange) => {
        seen = exchange;
        exchange.response.send(ok, "ok");
      });
      const client = await connect(server);
      client.write("GET /old HTTP/1.0\r\n\r\n");
      expect((await client.readResponse()).body.toString()).toBe("ok");
      expect(seen?.request.httpVersion).toBe("1.0");
      expect(seen?.request.authority).toBe("");
      expect(await client.closed).toBe("end");
    });

    test("arrives whole when it comes in single bytes", async () => {
      const server = await serve((exchange) => exchange.response.send(ok, exchange.request.path + exchange.request.headers.get("x-a")));
      const client = await connect(server);
      for (const byte of "GET /slow HTTP/1.1\r\nHost: a.test\r\nX-A: 1\r\n\r\n") await client.sent(byte);
      expect((await client.readResponse()).body.toString()).toBe("/slow1");
    });
  },
};
