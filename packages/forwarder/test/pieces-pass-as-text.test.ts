import { describe, expect, test } from "vitest";
import { type BodyTransform, forward, type Transformer } from "../src/index.ts";
import { FakeExchange, type FakeExchangeOptions } from "./doubles/fake-exchange.ts";
import { ScriptedClient } from "./doubles/scripted-client.ts";

/** An exchange whose server has a use for text. */
function send(transformer?: Transformer, options: FakeExchangeOptions = {}) {
  const exchange = new FakeExchange(options);
  const texts: string[] = [];
  const { response } = exchange;
  const sink = Object.assign(response, {
    writeLatin1(text: string): boolean {
      texts.push(text);
      return response.write(Buffer.from(text, "latin1"));
    },
  });
  const client = new ScriptedClient();
  const outcome = forward(exchange, "http://destination.example", client, { transformer });
  return { exchange, client, outcome, texts, sink };
}

describe("small pieces of a response", () => {
  test("pass as text to a server that takes it", async () => {
    const { exchange, client, outcome, texts } = send();
    const { call } = client;
    expect(call.handler.takesText).toBe(false);
    call.respond(200);
    expect(call.handler.takesText).toBe(true);
    call.handler.onText?.("data: \xe9\n\n");
    call.data("bytes");
    call.end();
    expect(await outcome).toBeUndefined();
    expect([texts, exchange.response.body]).toEqual([["data: \xe9\n\n"], "data: \xe9\n\nbytes"]);
    expect(call.handler.takesText).toBe(false);
  });

  test("are bytes for a server that does not", () => {
    const exchange = new FakeExchange();
    const client = new ScriptedClient();
    void forward(exchange, "http://destination.example", client, {});
    client.call.respond(200);
    expect(client.call.handler.takesText).toBe(false);
  });

  test("are bytes where a transform changes the body or holds the head", async () => {
    const same: BodyTransform = { chunk: (chunk) => chunk, end: () => undefined };
    for (const transformer of [
      { response: (_, response) => void (response.bodyChange = { transforms: [same] }) },
      { response: () => Promise.resolve() },
    ] satisfies Transformer[]) {
      const { client } = send(transformer);
      client.call.respond(200);
      expect(client.call.handler.takesText).toBe(false);
    }
  });

  test("hold the destination back while the client is full", async () => {
    const { exchange, client, outcome } = send(undefined, { capacity: 3 });
    const { call } = client;
    call.respond(200);
    call.handler.onText?.("ab");
    expect(call.paused).toBe(false);
    call.handler.onText?.("cd");
    expect(call.paused).toBe(true);
    exchange.response.drain();
    expect(call.paused).toBe(false);
    call.end();
    expect(await outcome).toBeUndefined();
  });

  test("that the client's server refuses are a failure", async () => {
    const { client, outcome, sink } = send();
    sink.writeLatin1 = () => {
      throw new Error("no");
    };
    client.call.respond(200);
    client.call.handler.onText?.("a");
    expect(await outcome).toMatchObject({ code: "ResponseBodyClient" });
  });
});
