/** Minimum data rates of both bodies over HTTP/2, by a clock that the test moves. */
import { once } from "node:events";
import { constants } from "node:http2";
import { expect, test } from "vitest";
import type { BadRequestError, Exchange } from "../../src/index.ts";
import { HeaderList } from "../../src/index.ts";
import { BodyCollector, collect, signal, until } from "../contract/recorders.ts";
import { answered, serve } from "./http2-bench.ts";

const rate = { bytesPerSecond: 100, gracePeriod: 1000 };
const post = { ":method": "POST", ":path": "/" };

test("a body that comes too slowly is answered with 408", async () => {
  const bench = await serve(async (exchange) => {
    await collect(exchange.body);
  }, { minRequestBodyDataRate: rate });
  const stream = bench.session.request(post);
  const answer = answered(stream);
  stream.write("a");
  await bench.clock.pass(1300);
  expect((await answer).status).toBe(408);
  expect(bench.faults.map((fault) => (fault as BadRequestError).code)).toContain("BODY_TOO_SLOW");
});

test("a body that keeps the rate, or that the reader holds back, takes its time", async () => {
  const collector = new BodyCollector();
  const arrived = signal<Exchange>();
  const bench = await serve(async (exchange) => {
    exchange.body?.read(collector);
    arrived.resolve(exchange);
    await collector.done;
    exchange.response.send({ status: 200, headers: new HeaderList() }, String(collector.size));
  }, { minRequestBodyDataRate: rate });
  const stream = bench.session.request(post);
  const answer = answered(stream);
  stream.write("a".repeat(300));
  const { body } = await arrived.promise;
  await collector.first;
  await bench.clock.pass(1500);
  body?.pause();
  await bench.clock.pass(4000);
  body?.resume();
  stream.end("b");
  expect((await answer).body).toBe("301");
});

test("a body whose rate was lifted may be as slow as it likes", async () => {
  const bench = await serve(async (exchange) => {
    exchange.features.bodyRate?.lift();
    exchange.response.send({ status: 200, headers: new HeaderList() }, (await collect(exchange.body)).bytes);
  }, { minRequestBodyDataRate: rate });
  const stream = bench.session.request(post);
  const answer = answered(stream);
  stream.write("a");
  await bench.clock.pass(3000);
  stream.end("b");
  expect((await answer).body).toBe("ab");
});

test("a reader that takes nothing loses its stream, and not the others of its connection", async () => {
  const bench = await serve(({ request, response }) => {
    if (request.path === "/small") {
      response.send({ status: 200, headers: new HeaderList() }, "small");
      return;
    }
    response.start({ status: 200, headers: new HeaderList() });
    response.write(Buffer.alloc(1_000_000));
  }, { minResponseDataRate: { bytesPerSecond: 1_000_000, gracePeriod: 500 } });
  const stream = bench.session.request({ ":path": "/large" });
  stream.on("error", () => undefined);
  await once(stream, "response");
  let closed = false;
  stream.once("close", () => (closed = true));
  // Without a reader its window is not given back.
  await bench.clock.pass(2500);
  expect((await answered(bench.session.request({ ":path": "/small" }))).body).toBe("small");
  stream.resume();
  await until(() => closed);
  expect(stream.rstCode).toBe(constants.NGHTTP2_CANCEL);
});
