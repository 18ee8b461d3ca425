import { createServer } from "node:http";
import express from "express";
import { describe, expect, test } from "vitest";
import { exchangeFromNode, ExchangeStateError, HeaderList } from "../../src/index.ts";
import { testWrappedExchanges, withClient } from "../contract/frameworks.ts";
import { collect } from "../contract/recorders.ts";

const post = 'POST /mount/a HTTP/1.1\r\nHost: a.test\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n{"a":1}';

describe("an exchange inside express", () => {
  testWrappedExchanges(async (handler) => {
    const app = express();
    app.use((req, res) => {
      handler(exchangeFromNode(req, res));
    });
    return createServer(app);
  });

  test("sees the whole target, or the one below the mount path when given", async () => {
    const app = express();
    app.use("/mount", (req, res) => {
      const whole = exchangeFromNode(req, res).request.path;
      const exchange = exchangeFromNode(req, res, { target: req.url });
      exchange.response.send({ status: 200, headers: new HeaderList() }, `${whole} ${exchange.request.path}`);
    });
    await withClient(createServer(app), async (client) => {
      client.write("GET /mount/a HTTP/1.1\r\nHost: a.test\r\n\r\n");
      expect((await client.readResponse()).body.toString()).toBe("/mount/a /a");
    });
  });

  test("cannot give a body that a parser took before", async () => {
    const app = express();
    app.use(express.json());
    app.use((req, res) => {
      const exchange = exchangeFromNode(req, res);
      collect(exchange.body).catch((error: unknown) => {
        exchange.response.send({ status: 200, headers: new HeaderList() }, String(error instanceof ExchangeStateError));
      });
    });
    await withClient(createServer(app), async (client) => {
      client.write(post);
      expect((await client.readResponse()).body.toString()).toBe("true");
    });
  });

  test("leaves other routes of the application alone", async () => {
    const app = express();
    app.get("/own", (_req, res) => {
      res.send("own");
    });
    app.use((req, res) => {
      exchangeFromNode(req, res).response.send({ status: 200, headers: new HeaderList() }, "proxied");
    });
    await withClient(createServer(app), async (client) => {
      client.write("GET /own HTTP/1.1\r\nHost: a.test\r\n\r\nGET /x HTTP/1.1\r\nHost: a.test\r\n\r\n");
      expect((await client.readResponse()).body.toString()).toBe("own");
      expect((await client.readResponse()).body.toString()).toBe("proxied");
    });
  });
});
