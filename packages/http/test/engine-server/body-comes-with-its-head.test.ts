import { describe, expect, test } from "vitest";
import { type BodySource, HeaderList } from "../../src/index.ts";
import { openInMemory } from "./memory-connection.ts";

const head = "POST / HTTP/1.1\r\nHost: a.test\r\n";

function collect(body: BodySource | undefined, told: string[]): void {
  body?.read({
    onData: (chunk) => void told.push(Buffer.from(chunk).toString("latin1")),
    onEnd: () => void told.push("end"),
    onError: () => void told.push("error"),
  });
}

describe("a body that came together with its head", () => {
  test.each([
    ["of known length", `${head}Content-Length: 4\r\n\r\nbody`],
    ["in chunks", `${head}Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n`],
  ])("%s is delivered while the handler reads it, so that both can leave in one write", (_, text) => {
    const told: string[] = [];
    const { connection, socket } = openInMemory((exchange) => {
      collect(exchange.body, told);
      told.push("handler returns");
      exchange.response.send({ status: 204, headers: new HeaderList() });
    });
    connection.data(Buffer.from(text.repeat(2)));
    expect(told).toEqual(["body", "end", "handler returns", "body", "end", "handler returns"]);
    expect(socket.sent.match(/204 No Content/g)).toHaveLength(2);
  });

  test("and that nobody wants is left behind; what follows it is the next request", () => {
    const { connection, socket } = openInMemory((exchange) => {
      exchange.body?.cancel();
      exchange.response.send({ status: 200, headers: new HeaderList() }, exchange.request.method);
    });
    const chunked = `${head}Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n`;
    connection.data(Buffer.from(`${chunked}GET / HTTP/1.1\r\nHost: a.test\r\n\r\n`));
    expect(socket.sent.match(/\r\n\r\n(POST|GET)/g)).toEqual(["\r\n\r\nPOST", "\r\n\r\nGET"]);
  });

  test("and whose reader throws ends its connection, not the process", () => {
    const faults: unknown[] = [];
    const { connection, socket } = openInMemory(
      (exchange) => exchange.body?.read({
        onData: () => {
          throw new Error("the reader failed");
        },
        onEnd: () => undefined,
        onError: () => undefined,
      }),
      undefined,
      () => void faults.push(1),
    );
    connection.data(Buffer.from(`${head}Content-Length: 4\r\n\r\nbody`));
    expect(socket.destroyed).toBe(true);
    expect(faults).toHaveLength(1);
  });
});
