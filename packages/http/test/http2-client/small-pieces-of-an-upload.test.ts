/** What of a request body, or of a tunnel, waits for the destination is bounded, however small the pieces were, and arrives as it was. */
import { expect, test } from "vitest";
import { HeaderList } from "../../src/index.ts";
import { MemoryBody, turns, until } from "../contract/recorders.ts";
import { http2Bench } from "./bench.ts";

const bench = http2Bench();

test("pieces of one byte for a destination that reads nothing are held back in time, and all of them arrive", async () => {
  const there = await bench.peer("http", { settings: { initialWindowSize: 0 } });
  const count = 90_000;
  const letters = Array.from({ length: 26 }, (_, i) => Buffer.from([97 + i]));
  const pieces = Array.from({ length: count }, (_, i) => letters[i % 26] as Buffer);
  const body = new MemoryBody(pieces);
  const call = bench.send(bench.client(there), { body });
  const request = await there.accept();
  let last = -1;
  while (last !== body.delivered) {
    last = body.delivered;
    await turns(50);
  }
  expect(body.delivered).toBeGreaterThan(4096);
  expect(body.delivered).toBeLessThan(count);
  request.collect();
  there.sessions[0]?.settings({ initialWindowSize: 65_535 });
  await until(() => request.ended);
  expect(request.body === Buffer.concat(pieces).toString("latin1")).toBe(true);
  request.answer();
  expect((await call.result).body).toBe("ok");
});

test.each([
  ["a length", true, undefined],
  ["a length and trailers", true, HeaderList.from([["x-sum", "1"]])],
  ["trailers", false, HeaderList.from([["x-sum", "1"]])],
  ["neither", false, undefined],
])("pieces of many sizes arrive in their order, of a body with %s", async (_what, sized, trailers) => {
  const there = await bench.peer("http", { settings: { initialWindowSize: 5000 } });
  let next = 0;
  const pieces = Array.from({ length: 600 }, (_, i) => Buffer.from(Array.from({ length: i % 7 === 0 ? 3000 : 1 + ((i * 37) % 1200) }, () => 97 + (next++ % 26))));
  const whole = Buffer.concat(pieces);
  const body = new MemoryBody(pieces, { length: sized ? whole.length : undefined, trailers });
  const call = bench.send(bench.client(there), { body, ...(trailers === undefined ? {} : { headers: [["trailer", "x-sum"]] as const }) });
  const request = (await there.accept()).collect();
  await until(() => request.ended);
  expect([request.whole, request.body === whole.toString("latin1"), request.trailers?.[0]]).toEqual([true, true, trailers === undefined ? undefined : "x-sum"]);
  request.answer();
  expect((await call.result).body).toBe("ok");
});

test("a body that breaks off behind pieces that wait is never whole", async () => {
  const there = await bench.peer("http", { settings: { initialWindowSize: 0 } });
  const body = new MemoryBody(Array.from({ length: 500 }, () => "x"), { held: true });
  const call = bench.send(bench.client(there), { body });
  const request = (await there.accept()).collect();
  await until(() => body.delivered === 500);
  body.fail(new Error("the client left"));
  await call.result.catch(() => undefined);
  await request.reset();
  expect(request.whole).toBe(false);
});

test("pieces of one byte through a tunnel wait for the destination as well, and arrive before its end", async () => {
  const there = await bench.peer("http", { settings: { initialWindowSize: 0, enableConnectProtocol: true } });
  const call = bench.send(bench.client(there), { method: "CONNECT", upgrade: "websocket", target: "/" });
  const request = await there.accept();
  request.stream.respond({ ":status": 200 });
  const { tunnel } = await call.upgraded;
  let drained = 0;
  tunnel.onDrain(() => drained++);
  let count = 0;
  while (tunnel.write(Buffer.from([97 + (count++ % 26)])));
  expect(count).toBeGreaterThan(4096);
  expect(tunnel.pending).toBe(count);
  await turns(50);
  expect(drained).toBe(0);
  request.collect();
  there.sessions[0]?.settings({ initialWindowSize: 65_535 });
  await until(() => drained > 0);
  tunnel.write(Buffer.from("!"));
  tunnel.write(Buffer.from("?"));
  tunnel.end();
  request.stream.end();
  await until(() => request.whole);
  expect(request.size).toBe(count + 2);
  expect(request.body.endsWith("!?")).toBe(true);
});
