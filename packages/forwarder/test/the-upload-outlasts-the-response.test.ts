import { ClientGoneError } from "@proxy/http";
import { expect, test } from "vitest";
// @boundaries-ignore the suite lives with its interface
import { MemoryBody, turns } from "../../http/test/contract/recorders.ts";
import { forward, TimerWheel } from "../src/index.ts";
import { FakeExchange } from "./doubles/fake-exchange.ts";
import { ScriptedClient } from "./doubles/scripted-client.ts";

/** A destination that answers in full and, as HTTP/2 allows, still takes the body. */
async function answeredEarly() {
  const body = new MemoryBody(["part"], { held: true });
  const exchange = new FakeExchange({ method: "POST", body, httpVersion: "2" });
  const client = new ScriptedClient();
  const timers = new TimerWheel({ period: 10, automatic: false });
  const outcome = forward(exchange, "http://destination.example", client, { timers, activityTimeout: 100 });
  client.call.readBody();
  client.call.respond(200);
  client.call.end();
  await turns(3);
  expect([exchange.response.whole, client.call.body]).toEqual([true, "part"]);
  return { body, exchange, client, timers, outcome };
}

test("its end is waited for", async () => {
  const { body, outcome, client } = await answeredEarly();
  body.finish();
  expect(await outcome).toBeUndefined();
  expect(client.call.bodyEnded).toBe(true);
});

test("a client that leaves meanwhile is a cancelled upload, the answer stands", async () => {
  const { exchange, outcome, client, body } = await answeredEarly();
  exchange.leave(new ClientGoneError("gone"));
  expect(await outcome).toMatchObject({ code: "RequestBodyCanceled", source: "client", status: undefined });
  expect([exchange.response.status, body.cancelled]).toEqual([200, true]);
  expect(client.call.aborted).toBeDefined();
});

test("a client that sends no more is not waited for longer than the activity timeout", async () => {
  const { outcome, timers, body } = await answeredEarly();
  timers.advance(12);
  expect(await outcome).toMatchObject({ code: "RequestBodyClient", status: undefined });
  expect([body.cancelled, timers.size]).toEqual([true, 0]);
});

test("a destination that takes no more is not waited for either", async () => {
  const { outcome, timers, client } = await answeredEarly();
  client.call.request.body?.pause();
  timers.advance(12);
  expect(await outcome).toMatchObject({ code: "RequestBodyDestination", status: undefined });
});
