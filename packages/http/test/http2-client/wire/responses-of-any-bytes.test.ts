/** Responses in which something was changed at random: each ends once, none is taken for whole that nghttp2 would not take for the same. */
import { type ChildProcess, fork } from "node:child_process";
import { afterAll, expect, test } from "vitest";
import { frameFlag, frameType } from "../../../src/engine/http2/frames.ts";
import { block, continuation, data, frame, goaway, open, ping, priority, reset, settings, whole, windowUpdate } from "../../http2-wire/frames-to-send.ts";
import { type Random, randomNumbers } from "../../http2-wire/random-numbers.ts";
import { MemoryDestination } from "./memory-destination.ts";

const greeting = settings([[3, 100]]);
const ok = [[":status", "200"]] as const;

/** Some frames of a response, mostly in an order that makes one. */
function response(random: Random): Buffer {
  const length = random(60);
  const announced = random(3) === 0 ? ([["content-length", String(length)]] as const) : [];
  const fields = [...ok, ...announced, ["x-a", "v".repeat(random(40))], ["x-b", "1"]] as const;
  const head = block(fields);
  const cut = random(head.length);
  const trailers = random(3) === 0;
  const body = "b".repeat(length);
  const at = random(length + 1);
  return Buffer.concat([
    ...(random(4) === 0 ? [open(1, [[":status", "103"], ["link", "<a>"]])] : []),
    ...(random(4) === 0 ? [ping(), windowUpdate(0, 1 + random(100)), priority(1, 0)] : []),
    ...(random(2) === 0 ? [open(1, fields)] : [frame(frameType.headers, 0, 1, head.subarray(0, cut)), continuation(1, head.subarray(cut))]),
    data(1, body.slice(0, at)),
    ...(random(4) === 0 ? [frame(0x33, 0, 0, Buffer.alloc(random(20)))] : []),
    frame(frameType.data, frameFlag.padded | (trailers ? 0 : frameFlag.endStream), 1, Buffer.concat([Buffer.from([2]), Buffer.from(body.slice(at)), Buffer.alloc(2)])),
    ...(trailers ? [whole(1, [["x-sum", "1"]])] : []),
    ...(random(5) === 0 ? [goaway(1)] : []),
    ...(random(8) === 0 ? [reset(1, 0)] : []),
  ]);
}

/** Changes, repeats, drops or puts in a few octets. */
function spoilt(bytes: Buffer, random: Random): Buffer {
  let result = Buffer.from(bytes);
  for (let count = 1 + random(3); count > 0; count--) {
    const at = random(result.length);
    const size = 1 + random(12);
    switch (random(5)) {
      case 0:
        result[at] = (result[at] as number) ^ (1 << random(8));
        break;
      case 1:
        result[at] = random(256);
        break;
      case 2:
        result = Buffer.concat([result.subarray(0, at), result.subarray(at + size)]);
        break;
      case 3:
        result = Buffer.concat([result.subarray(0, at + size), result.subarray(at)]);
        break;
      default:
        result = Buffer.concat([result.subarray(0, at), Buffer.from(Array.from({ length: size }, () => random(256))), result.subarray(at)]);
    }
    if (result.length === 0) return Buffer.alloc(1);
  }
  return result;
}

test("none throws, each ends at most once, in order, and alike however it is cut", () => {
  const random = randomNumbers(5);
  for (let i = 0; i < 1500; i++) {
    const bytes = Buffer.concat([greeting, random(5) === 0 ? response(random) : spoilt(response(random), random)]);
    const one = new MemoryDestination();
    one.read(bytes, bytes.length);
    expect(one.recorded.problems, bytes.toString("hex")).toEqual([]);
    expect(one.recorded.finals, bytes.toString("hex")).toBeLessThanOrEqual(1);
    const other = new MemoryDestination();
    other.read(bytes, 1 + random(20));
    expect(other.outcome, bytes.toString("hex")).toEqual(one.outcome);
  }
});

let asked: ChildProcess | undefined;
let questions = 0;
afterAll(() => asked?.kill());

/** What Node's client makes of it: `status body`, undefined when it does not take it for whole, "crash" when that ended its process. */
async function askNghttp2(bytes: Buffer): Promise<string | undefined> {
  const process = (asked ??= fork(new URL("nghttp2-client.ts", import.meta.url), { stdio: ["ignore", "inherit", "ignore", "ipc"], execArgv: [] }));
  const id = questions++;
  return await new Promise((resolve) => {
    const onExit = (): void => {
      process.off("message", onMessage);
      asked = undefined;
      resolve("crash");
    };
    const onMessage = (message: { readonly id: number; readonly answer?: string }): void => {
      if (message.id !== id) return;
      process.off("message", onMessage);
      process.off("exit", onExit);
      resolve(message.answer);
    };
    process.on("message", onMessage as (message: unknown) => void);
    process.once("exit", onExit);
    process.send({ id, bytes: bytes.toString("base64") });
  });
}

test("what is taken for a whole response is the same response to nghttp2", async () => {
  const random = randomNumbers(17);
  let agreed = 0;
  for (let i = 0; i < 1200; i++) {
    const bytes = random(10) === 0 ? response(random) : spoilt(response(random), random);
    const one = new MemoryDestination();
    one.read(Buffer.concat([greeting, bytes]), 1 << 20);
    const { head, finals, error, body } = one.recorded;
    // What ends well here, and with it the connection: what came behind it may have ended Node's before the response was read.
    if (finals !== 1 || error !== undefined || head === undefined || one.ending.startsWith("connection")) continue;
    const answer = await askNghttp2(Buffer.concat([greeting, bytes]));
    // Node 24 does not survive some of them.
    if (answer === "crash") continue;
    expect(answer, bytes.toString("hex")).toBe(`${head.status} ${body}`);
    agreed++;
  }
  expect(agreed).toBeGreaterThan(100);
});
