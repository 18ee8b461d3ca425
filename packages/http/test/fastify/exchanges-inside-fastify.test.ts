import fastify from "fastify";
import { describe, expect, test } from "vitest";
import { exchangeFromNode, HeaderList } from "../../src/index.ts";
import { testWrappedExchanges, withClient } from "../contract/frameworks.ts";

/** Fastify without its body parsers, which would take the bodies. */
function rawFastify() {
  const app = fastify();
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (_request, _payload, done) => done(null));
  return app;
}

describe("an exchange inside fastify", () => {
  testWrappedExchanges(async (handler) => {
    const app = rawFastify();
    app.all("/*", (request, reply) => {
      reply.hijack();
      handler(exchangeFromNode(request.raw, reply.raw));
    });
    await app.ready();
    return app.server;
  });

  test("leaves other routes of the application alone", async () => {
    const app = rawFastify();
    app.get("/own", async () => "own");
    app.all("/*", (request, reply) => {
      reply.hijack();
      exchangeFromNode(request.raw, reply.raw).response.send({ status: 200, headers: new HeaderList() }, "proxied");
    });
    await app.ready();
    await withClient(app.server, async (client) => {
      client.write("GET /own HTTP/1.1\r\nHost: a.test\r\n\r\nGET /x HTTP/1.1\r\nHost: a.test\r\n\r\n");
      expect((await client.readResponse()).body.toString()).toBe("own");
      expect((await client.readResponse()).body.toString()).toBe("proxied");
    });
  });
});
