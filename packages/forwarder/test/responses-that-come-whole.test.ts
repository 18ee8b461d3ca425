import { describe, expect, test } from "vitest";
// @boundaries-ignore the suite lives with its interface
import { MemoryBody, turns } from "../../http/test/contract/recorders.ts";
import { type BodyTransform, forward, type Transformer } from "../src/index.ts";
import { FakeExchange, type FakeExchangeOptions } from "./doubles/fake-exchange.ts";
import { ScriptedClient } from "./doubles/scripted-client.ts";

function send(transformer: Transformer | undefined, options: FakeExchangeOptions = {}) {
  const exchange = new FakeExchange(options);
  const client = new ScriptedClient();
  const outcome = forward(exchange, "http://destination.example", client, { transformer });
  return { exchange, client, outcome };
}

const lines = [["Content-Length", "3"], ["X-A", "1"]] as const;

describe("a response that comes whole", () => {
  test("leaves whole, byte for byte", async () => {
    const { exchange, client, outcome } = send(undefined);
    client.call.respondWhole(200, lines, "a\xe9\0");
    expect(await outcome).toBeUndefined();
    expect(exchange.response).toMatchObject({ sentAsText: true, status: 200, body: "a\xe9\0" });
    expect(exchange.response.head?.headers.toRaw()).toEqual(lines.flat());
  });

  test("leaves whole after transforms that do not touch its length", async () => {
    const { exchange, client, outcome } = send({ response: (_, response) => response.headers.set("X-A", "2") });
    client.call.respondWhole(200, lines, "abc");
    expect(await outcome).toBeUndefined();
    expect(exchange.response).toMatchObject({ sentAsText: true, body: "abc" });
    expect(exchange.response.head?.headers.get("x-a")).toBe("2");
  });

  test("is the same response where it goes the way of a streamed one", async () => {
    const upper: BodyTransform = {
      chunk: (chunk) => Buffer.from(Buffer.from(chunk).toString("latin1").toUpperCase(), "latin1"),
      end: () => undefined,
    };
    const transformers: readonly (readonly [transformer: Transformer, body: string])[] = [
      [{ response: (_, response) => void response.headers.remove("content-length") }, "abc"],
      [{ response: () => Promise.resolve() }, "abc"],
      [{ trailers: () => undefined }, "abc"],
      [{ response: (_, response) => void (response.bodyChange = { transforms: [upper] }) }, "ABC"],
      [{ response: (_, response) => response.headers.set("Content-Type", "text/event-stream") }, "abc"],
    ];
    for (const [transformer, body] of transformers) {
      const { exchange, client, outcome } = send(transformer);
      client.call.respondWhole(200, lines, "abc");
      expect(await outcome).toBeUndefined();
      expect(exchange.response).toMatchObject({ sentAsText: false, whole: true, status: 200, body });
    }
  });

  test("without content and length goes that way too", async () => {
    const { exchange, client, outcome } = send(undefined);
    client.call.respondWhole(304, [["ETag", '"1"']], "");
    expect(await outcome).toBeUndefined();
    expect(exchange.response).toMatchObject({ sentAsText: false, whole: true, status: 304, body: "" });
  });

  test("is suppressed by a transform that says so", async () => {
    const { exchange, client, outcome } = send({ response: () => false });
    client.call.respondWhole(200, lines, "abc");
    expect(await outcome).toBeUndefined();
    expect(exchange.response).toMatchObject({ whole: true, body: "" });
    expect(exchange.response.head?.headers.has("content-length")).toBe(false);
  });

  test("that the client's server refuses is a failure", async () => {
    const { exchange, client, outcome } = send(undefined);
    exchange.response.sendLatin1 = () => {
      throw new Error("no");
    };
    client.call.respondWhole(200, lines, "abc");
    expect(await outcome).toMatchObject({ code: "ResponseBodyClient" });
    expect(exchange.response.status).toBe(502);
  });

  test("before the end of the request is over when the request is", async () => {
    const body = new MemoryBody(["x"], { held: true });
    const { exchange, client, outcome } = send(undefined, { method: "POST", body });
    client.call.readBody();
    let settled = false;
    void outcome.then(() => (settled = true));
    client.call.respondWhole(200, lines, "abc");
    await turns(2);
    expect([exchange.response.whole, settled]).toEqual([true, false]);
    body.finish();
    expect(await outcome).toBeUndefined();
  });

  test("after the client has left changes nothing", async () => {
    const { exchange, client, outcome } = send(undefined);
    exchange.leave(new Error("gone"));
    client.call.respondWhole(200, lines, "abc");
    expect(await outcome).toMatchObject({ code: "RequestCanceled" });
    expect(exchange.response.head).toBeUndefined();
  });
});
