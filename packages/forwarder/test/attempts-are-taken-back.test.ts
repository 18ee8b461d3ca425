import { ClientGoneError, type ResponseHead } from "@proxy/http";
import { expect, test } from "vitest";
// @boundaries-ignore the suite lives with its interface
import { MemoryBody, turns } from "../../http/test/contract/recorders.ts";
import { forward, type ForwardAttempt, type ForwarderError, type ForwardOptions, TimerWheel } from "../src/index.ts";
import { FakeExchange, type FakeExchangeOptions } from "./doubles/fake-exchange.ts";
import { type ScriptedCall, ScriptedClient } from "./doubles/scripted-client.ts";

class Attempt implements ForwardAttempt {
  readonly number: number;
  readonly timeout: number | undefined;
  readonly takesBack: boolean;
  readonly asked: (ForwarderError | number)[] = [];

  constructor(takesBack: boolean, number = 1, timeout?: number) {
    this.takesBack = takesBack;
    this.number = number;
    this.timeout = timeout;
  }

  failed(error: ForwarderError): boolean {
    this.asked.push(error);
    return this.takesBack;
  }

  responded(head: ResponseHead): boolean {
    this.asked.push(head.status);
    return this.takesBack;
  }
}

function send(attempt: Attempt, options: FakeExchangeOptions & ForwardOptions = {}, script?: (call: ScriptedCall) => void) {
  const exchange = new FakeExchange(options);
  const client = new ScriptedClient(script);
  const timers = new TimerWheel({ period: 10, automatic: false });
  const outcome = forward(exchange, "http://destination.example", client, { ...options, timers, attempt });
  return { exchange, client, timers, outcome };
}

test("a failure before the head is told, the client is not answered, and another attempt serves it", async () => {
  let transformed = 0;
  const first = new Attempt(true);
  const { exchange, client, timers, outcome } = send(first, { transformer: { response: () => void transformed++ } });
  client.call.fail("reset");
  const error = await outcome;
  expect(error).toMatchObject({ code: "Request", status: undefined });
  expect([first.asked, exchange.response.started, transformed, timers.size]).toEqual([[error], false, 0, 0]);

  const attempts: number[] = [];
  const second = forward(exchange, "http://other.example", client, {
    attempt: new Attempt(false, 2),
    transformer: { request: (_, outgoing) => void attempts.push(outgoing.attempt) },
  });
  client.calls[1]?.respond(200);
  client.calls[1]?.end();
  expect([await second, exchange.response.status, attempts]).toEqual([undefined, 200, [2]]);
});

test("a failure that is not taken back is answered", async () => {
  const { exchange, client, outcome } = send(new Attempt(false));
  client.call.fail("reset");
  expect(await outcome).toMatchObject({ code: "Request", status: 502 });
  expect([exchange.response.status, exchange.response.whole]).toEqual([502, true]);
});

test("a failure while sending can be taken back as well", async () => {
  const { exchange, client, outcome } = send(new Attempt(true), {}, (call) => call.fail("refused", { step: "connect", requestSent: false }));
  expect(await outcome).toMatchObject({ code: "Request", retry: "safe" });
  expect([exchange.response.started, client.call.aborted !== undefined]).toEqual([false, true]);
});

test("a response is dropped at its head: nothing of it reaches the client, and the call is given up", async () => {
  const attempt = new Attempt(true);
  const { exchange, client, timers, outcome } = send(attempt, { transformer: { response: () => expect.unreachable() } });
  client.call.respond(503, [["X-From", "first"]]);
  client.call.data("late");
  client.call.end();
  expect([await outcome, attempt.asked, exchange.response.started]).toEqual([undefined, [503], false]);
  expect([client.call.aborted !== undefined, timers.size]).toEqual([true, 0]);
});

test("a response that comes while sending can be dropped as well", async () => {
  const { client, exchange, outcome } = send(new Attempt(true), {}, (call) => call.respond(503));
  expect([await outcome, exchange.response.started, client.call.aborted !== undefined]).toEqual([undefined, false, true]);
});

test("nothing is asked once the head was taken", async () => {
  const attempt = new Attempt(false);
  const { exchange, client, outcome } = send(attempt);
  client.call.respond(200);
  client.call.data("part");
  client.call.fail("cut", { step: "response-body" });
  expect(await outcome).toMatchObject({ code: "ResponseBodyDestination" });
  expect([attempt.asked, exchange.response.aborted !== undefined]).toEqual([[200], true]);
});

test("a client that leaves is told to the attempt too", async () => {
  const attempt = new Attempt(false);
  const { exchange, outcome } = send(attempt);
  exchange.leave(new ClientGoneError("gone"));
  const error = await outcome;
  expect(error).toMatchObject({ code: "RequestCanceled" });
  expect(attempt.asked).toMatchObject([{ code: "RequestCanceled", source: "client" }]);
});

test("the time of an attempt ends it before the route's", async () => {
  const { outcome, timers, exchange } = send(new Attempt(true, 1, 50), { timeout: 1000 });
  timers.advance(7);
  expect(await outcome).toMatchObject({ code: "RequestTimedOut", source: "destination" });
  expect([exchange.response.started, timers.size]).toEqual([false, 0]);
});

test("the time of an attempt is the destination's, not that of a client that is slow to send", async () => {
  const body = new MemoryBody(["part"], { held: true });
  const attempt = new Attempt(true, 1, 50);
  const { outcome, timers, client } = send(attempt, { method: "PUT", body });
  client.call.readBody();
  timers.advance(20);
  expect(attempt.asked).toEqual([]);
  body.finish();
  await turns(3);
  timers.advance(14);
  expect(await outcome).toMatchObject({ code: "RequestTimedOut", source: "destination" });
});

test("a transform that takes the time of an attempt is no fault of the destination", async () => {
  const { outcome, timers } = send(new Attempt(false, 1, 50), { transformer: { request: () => new Promise(() => {}) } });
  timers.advance(7);
  expect(await outcome).toMatchObject({ code: "RequestTimedOut", source: "gateway" });
});

test("the route's time ends an attempt that might go on", async () => {
  const attempt = new Attempt(false, 1, 1000);
  const { outcome, timers, exchange } = send(attempt, { timeout: 50 });
  timers.advance(7);
  expect(await outcome).toMatchObject({ code: "RouteTimeout" });
  expect(exchange.response.status).toBe(504);
});

test("the time of an attempt is over with the response head", async () => {
  const { outcome, timers, exchange, client } = send(new Attempt(false, 1, 50));
  client.call.respond(200);
  timers.advance(20);
  client.call.data("late");
  client.call.end();
  expect([await outcome, exchange.response.body]).toEqual([undefined, "late"]);
});

test("a body that wraps the exchange's is sent in its place", async () => {
  const source = new MemoryBody(["from the exchange"]);
  const exchange = new FakeExchange({ method: "POST", body: source });
  const second = new ScriptedClient();
  const done = forward(exchange, "http://destination.example", second, { body: new MemoryBody(["wrapped"]) });
  second.call.readBody();
  await turns(3);
  expect([second.call.body, source.started]).toEqual(["wrapped", false]);
  second.call.respond(200);
  second.call.end();
  await done;
});
