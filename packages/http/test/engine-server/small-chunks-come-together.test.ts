import { describe, expect, test } from "vitest";
import { HeaderList } from "../../src/index.ts";
import { serve } from "./serve.ts";

describe("small chunks of a request body", () => {
  test("that came together are delivered together", async () => {
    const sizes: number[] = [];
    const { connect } = await serve((exchange) => {
      exchange.body?.read({
        onData: (chunk) => {
          sizes.push(chunk.length);
          return true;
        },
        onEnd: () => exchange.response.send({ status: 200, headers: new HeaderList() }),
        onError: () => exchange.response.send({ status: 400, headers: new HeaderList() }),
      });
    });
    const client = await connect();
    client.write(`POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n${"1\r\nx\r\n".repeat(1000)}0\r\n\r\n`);
    expect((await client.readResponse()).status).toBe(200);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(1000);
    expect(sizes.length).toBeLessThan(10);
  });
});
