/** However the bytes of a destination are cut, they say the same. */
import { expect, test } from "vitest";
import { frameFlag, frameType } from "../../../src/engine/http2/frames.ts";
import { block, continuation, data, type Fields, frame, goaway, open, ping, settings, whole, windowUpdate } from "../../http2-wire/frames-to-send.ts";
import { destinationRules } from "./destination-rules.ts";
import { MemoryDestination } from "./memory-destination.ts";

const ok: Fields = [[":status", "200"], ["content-type", "text/plain"], ["set-cookie", "a=1"], ["set-cookie", "b=2"]];
const greeting = settings([[3, 100]]);

/** One response with everything that can be in it. */
const response = Buffer.concat([
  greeting,
  frame(frameType.settings, frameFlag.ack, 0),
  open(1, [[":status", "103"], ["link", "</a>"]]),
  ping(),
  frame(frameType.headers, 0, 1, block(ok).subarray(0, 7)),
  continuation(1, block(ok).subarray(7, 20), false),
  continuation(1, block(ok).subarray(20)),
  windowUpdate(0, 100),
  data(1, "hello "),
  frame(frameType.data, frameFlag.padded, 1, Buffer.concat([Buffer.from([4]), Buffer.from("there"), Buffer.alloc(4)])),
  frame(0x55, 0, 7, Buffer.alloc(30)),
  data(1, "x".repeat(300)),
  whole(1, [["x-sum", "1"], ["grpc-status", "0"]]),
  goaway(1),
]);

function outcome(bytes: Buffer, cut: number): unknown {
  const destination = new MemoryDestination();
  destination.read(bytes, cut);
  return destination.outcome;
}

test("a response with everything in it is the same at every size of its pieces", () => {
  const whole = outcome(response, response.length);
  expect(whole).toMatchObject({ finals: 1, problems: [], status: 200, body: `hello there${"x".repeat(300)}`, trailers: ["x-sum", "1", "grpc-status", "0"], interim: [103], error: undefined });
  for (let cut = 1; cut < response.length; cut++) expect(outcome(response, cut), `pieces of ${cut}`).toEqual(whole);
});

test("a response with everything in it is the same cut once at every place", () => {
  const whole = outcome(response, response.length);
  for (let place = 1; place < response.length; place++) {
    const destination = new MemoryDestination();
    destination.read(response.subarray(0, place), response.length);
    destination.read(response.subarray(place), response.length);
    expect(destination.outcome, `cut at ${place}`).toEqual(whole);
  }
});

test("what breaks a rule is found at every size of its pieces", () => {
  for (const { name, bytes } of destinationRules) {
    const all = Buffer.concat([greeting, ...bytes]);
    if (all.length > 20_000) continue;
    const whole = outcome(all, all.length);
    for (const cut of [1, 2, 3, 7, 9, 10, 13, 100, 1000]) expect(outcome(all, cut), `${name} in pieces of ${cut}`).toEqual(whole);
  }
});
