import { describe, expect, test } from "vitest";
import { type Exchange, HeaderList } from "../../src/index.ts";
import { openInMemory } from "./memory-connection.ts";

/** What a client gets of an answer with these `fields`, given as text or as bytes. */
async function sent(request: string, fields: readonly (readonly [string, string])[], pieces: readonly string[], asText: boolean): Promise<string> {
  let exchange: Exchange | undefined;
  const { socket, connection } = openInMemory((made) => {
    exchange = made;
  });
  connection.data(Buffer.from(request, "latin1"));
  const { response } = exchange as Exchange;
  response.start({ status: 200, headers: HeaderList.from([...fields, ["Date", "-"]]) });
  for (const [index, piece] of pieces.entries()) {
    if (asText) response.writeLatin1?.(piece);
    else response.write(Buffer.from(piece, "latin1"));
    // Some leave together, some alone.
    if (index % 2 === 0) await Promise.resolve();
  }
  if (!response.ended) response.end();
  return `${socket.sent}|${String(socket.ended)}|${String(socket.destroyed)}`;
}

const get = "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n";
const pieces = ["data: 1\n\n", "\xe9\xff\0", "", "x".repeat(2000), "data: 2\n\n"];
const length = String(pieces.join("").length);

describe("pieces of a response given as text", () => {
  test.each([
    ["in the chunked coding", get, []],
    ["of a known length", get, [["Content-Length", length]]],
    ["to a client of HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", []],
    ["to HEAD", "HEAD / HTTP/1.1\r\nHost: a.test\r\n\r\n", []],
    ["longer than announced", get, [["Content-Length", "10"]]],
    ["shorter than announced", get, [["Content-Length", "5000"]]],
  ] as const)("%s are the bytes that they stand for", async (_, request, fields) => {
    const text = await sent(request, fields, pieces, true);
    expect(text).toBe(await sent(request, fields, pieces, false));
    expect(text).toContain("HTTP/1.1 200 OK");
  });

  test("that together are too long for one write leave in order", async () => {
    const many = Array.from({ length: 40 }, (_, index) => String(index).padStart(1000, "."));
    const text = await sent(get, [["Content-Length", "40000"]], many, true);
    expect(text.split("\r\n\r\n")[1]).toBe(`${many.join("")}|false|false`);
  });

  test("after the end do nothing or are refused, as bytes are", async () => {
    let exchange: Exchange | undefined;
    const { connection } = openInMemory((made) => {
      exchange = made;
    });
    connection.data(Buffer.from(get));
    const { response } = exchange as Exchange;
    expect(() => response.writeLatin1?.("x")).toThrow("a body before the head");
    response.start({ status: 200, headers: new HeaderList() });
    response.abort(new Error("enough"));
    expect(response.writeLatin1?.("x")).toBe(true);
  });
});
