import { createServer } from "node:http";
import { describe, expect, test } from "vitest";
import { BadRequestError, exchangeFromNode, exchangeFromUpgrade, HeaderList } from "../../src/index.ts";
import { testWrappedExchanges, withClient } from "../contract/frameworks.ts";
import { BodyCollector } from "../contract/recorders.ts";

describe("an exchange inside a bare node:http server", () => {
  testWrappedExchanges(async (handler) => createServer((req, res) => {
    handler(exchangeFromNode(req, res));
  }));

  test("is refused with a status when the request is no good", async () => {
    const server = createServer((req, res) => {
      try {
        exchangeFromNode(req, res);
      } catch (error) {
        res.writeHead(error instanceof BadRequestError ? error.status : 500).end();
      }
    });
    await withClient(server, async (client) => {
      client.write("GET /a%zz HTTP/1.1\r\nHost: a.test\r\n\r\n");
      expect((await client.readResponse()).status).toBe(400);
    });
  });

  test("offers the upgrade that a server's upgrade event gives", async () => {
    const server = createServer();
    server.on("upgrade", (req, socket, head) => {
      const exchange = exchangeFromUpgrade(req, socket, head);
      if (exchange.request.path === "/no") {
        exchange.response.send({ status: 403, headers: new HeaderList() }, "no");
        return;
      }
      const tunnel = exchange.features.upgrade?.accept({ status: 101, headers: HeaderList.from([["Upgrade", "echo"]]) });
      const sink = new BodyCollector();
      sink.onData = (chunk) => void tunnel?.write(chunk);
      tunnel?.read(sink);
      void sink.done.then(() => tunnel?.end());
    });
    const ask = "Host: a.test\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n";
    await withClient(server, async (client) => {
      client.write(`GET / HTTP/1.1\r\n${ask}early`);
      expect((await client.readHead()).status).toBe(101);
      expect((await client.readBytes(5)).toString()).toBe("early");
      client.write("late");
      expect((await client.readBytes(4)).toString()).toBe("late");
      client.end();
      await client.closed;
    });
    await withClient(server, async (client) => {
      client.write(`GET /no HTTP/1.1\r\n${ask}`);
      const response = await client.readResponse();
      expect([response.status, response.header("connection")]).toEqual([403, "close"]);
      await client.closed;
    });
  });
});
