import { describe, expect, test } from "vitest";
import { HeaderList } from "../../src/index.ts";
import { answer, serve } from "./serve.ts";

const kept = "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";

describe("a client of HTTP/1.0 that asks to keep the connection", () => {
  test("gets its answers one after the other", async () => {
    const { connect } = await serve(answer(200, "ok"));
    const client = await connect();
    client.write(kept + kept);
    for (let i = 0; i < 2; i++) {
      const response = await client.readResponse();
      expect([response.header("connection"), response.body.toString()]).toEqual(["keep-alive", "ok"]);
    }
  });

  test("loses it when only the end of the connection can end the answer", async () => {
    const { connect } = await serve((exchange) => {
      exchange.response.start({ status: 200, headers: new HeaderList() });
      exchange.response.write(Buffer.from("streamed"));
      exchange.response.end();
    });
    const client = await connect();
    client.write(kept + kept);
    const response = await client.readResponse();
    expect([response.header("connection"), response.framing, response.body.toString()]).toEqual(["close", "close", "streamed"]);
  });
});
