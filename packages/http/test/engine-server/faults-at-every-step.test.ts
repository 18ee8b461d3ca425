import { expect, test } from "vitest";
import { HeaderList } from "../../src/index.ts";
import { until } from "../contract/recorders.ts";
import { Random } from "./mutations.ts";
import { serve } from "./serve.ts";

/** Clients that stop, half-close or reset anywhere in what they send; handlers that do the same in their answers. */
test("whatever clients and handlers break off, every exchange completes once and every connection goes", async () => {
  let begun = 0;
  let completed = 0;
  let number = 0;
  const { server, connect } = await serve((exchange) => {
    begun++;
    exchange.onComplete(() => completed++);
    const kind = number++ % 8;
    const { response, body } = exchange;
    const finish = (): void => {
      if (kind === 0) response.send({ status: 200, headers: new HeaderList() }, "x".repeat(100_000));
      else if (kind === 1) throw new Error("a handler's error");
      else if (kind === 2) response.abort(new Error("given up"));
      else {
        response.start({ status: 200, headers: new HeaderList() });
        response.write(Buffer.alloc(kind * 20_000, "y"));
        if (kind === 3) response.abort(new Error("given up"));
        else response.end();
      }
    };
    if (body === undefined || kind === 4) finish();
    else {
      body.read({
        onData: () => true,
        onEnd: () => setImmediate(() => (kind === 1 ? response.abort(new Error("no")) : finish())),
        onError: () => response.abort(new Error("no body")),
      });
    }
  });
  const random = new Random(7);
  const requests = [
    "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n",
    `POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 70000\r\n\r\n${"b".repeat(70_000)}`,
    `POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n${"5\r\nhello\r\n".repeat(100)}0\r\n\r\n`,
  ];
  for (let round = 0; round < 40; round++) {
    await Promise.all(Array.from({ length: 10 }, async () => {
      const client = await connect();
      const text = random.pick(requests) + random.pick(requests);
      const end = random.below(4);
      client.write(end === 3 || random.below(3) === 0 ? text : text.slice(0, random.below(text.length)));
      if (end === 0) client.reset();
      else if (end === 1) client.destroy();
      else if (end === 2) client.end();
      else await Promise.race([client.ended, until(() => client.pendingSize > 0)]);
      if (end !== 2) client.destroy();
    }));
  }
  // Who half-closed is answered, and closes when the server does.
  await until(() => server.connectionCount === 0);
  expect(begun).toBeGreaterThan(200);
  expect(completed).toBe(begun);
});
