/** Sequences of frames that no client sends, and what must hold behind each: the connection ends or goes on, and nothing stays. */
import { expect, test } from "vitest";
import { frameFlag, frameType } from "../../src/engine/http2/frames.ts";
import { until } from "../contract/recorders.ts";
import { block, continuation, type Fields, frame, numbers, request, settings } from "./frames-to-send.ts";
import { randomNumbers, type Random } from "./random-numbers.ts";
import { WireBench, type WireServerFactory } from "./wire-bench.ts";
import { WireClient } from "./wire-client.ts";

function pick<T>(random: Random, list: readonly T[]): T {
  return list[random(list.length)] as T;
}

const paths = ["/", "/echo", "/hang", "/large", "/drain", "/chat"];
const oddities: Fields = [["content-length", "3"], ["content-length", "x"], ["X-Upper", "1"], ["x-a", "\n"], ["connection", "close"], ["expect", "100-continue"], [":path", "/"], ["te", "gzip"], ["", ""], ["x-long", "y".repeat(9000)]];

function bytes(random: Random, most: number): Buffer {
  return Buffer.from(Array.from({ length: random(most + 1) }, () => random(256)));
}

/** A stream that is new, one of those before, or none that may be. */
function anyStream(random: Random, last: number): number {
  return random(12) === 0 ? pick(random, [0, 2, 0x7fffffff]) : random(3) === 0 ? last + 2 : Math.max(1, last - 2 * random(4));
}

function fields(random: Random): Fields {
  if (random(6) === 0) return [[":method", "CONNECT"], [":protocol", "websocket"], [":scheme", "http"], [":path", "/chat"], [":authority", "a.test"]];
  return request(pick(random, paths), random(4) === 0 ? [pick(random, oddities)] : [], pick(random, ["GET", "POST", "HEAD", "PUT"]));
}

/** Frames of which most are right alone and few together; with `wild` also such whose length is wrong. */
function randomFrames(random: Random, wild: boolean): Buffer[] {
  const frames: Buffer[] = [];
  let last = -1;
  for (let i = 3 + random(30); i > 0; i--) {
    const stream = anyStream(random, last);
    switch (random(13)) {
      case 0: case 1: case 2: case 3: {
        const fresh = random(8) > 0 ? last + 2 : stream;
        const list = random(10) === 0 ? bytes(random, 60) : block(fields(random));
        const whole = random(8) > 0;
        frames.push(frame(frameType.headers, random(2) | (whole ? frameFlag.endHeaders : 0), fresh, whole ? list : list.subarray(0, list.length >> 1)));
        if (!whole && random(4) > 0) frames.push(continuation(fresh, list.subarray(list.length >> 1)));
        last = Math.max(last, fresh & 1 ? Math.min(fresh, 9999) : last);
        break;
      }
      case 4: case 5: case 6:
        frames.push(frame(frameType.data, random(2) | (random(4) === 0 ? frameFlag.padded : 0), stream, bytes(random, 400)));
        break;
      case 7:
        frames.push(frame(frameType.rstStream, 0, stream, random(10) === 0 ? bytes(random, 6) : numbers(random(15))));
        break;
      case 8:
        frames.push(frame(frameType.windowUpdate, 0, random(3) === 0 ? 0 : stream, numbers(pick(random, [0, 1, 1000, 65_535, 1_000_000, 2 ** 31 - 1]))));
        break;
      case 9:
        frames.push(settings([[1 + random(8), pick(random, [0, 1, 2, 100, 16_384, 65_535, 1_000_000])]]));
        break;
      case 10:
        frames.push(frame(frameType.headers, 5, stream, block(random(2) === 0 ? [["x-sum", "1"]] : fields(random))));
        break;
      case 11:
        frames.push(frame(pick(random, [frameType.priority, frameType.ping, frameType.goaway, 0x42]), random(2), random(2) * stream, bytes(random, 12)));
        break;
      default: {
        const any = frame(random(12), random(256), stream, bytes(random, 80));
        if (wild && random(6) === 0) any[2] = random(256);
        frames.push(any);
      }
    }
  }
  return frames;
}

/** Zeros are DATA on stream 0, whatever was left open before them. */
const noFrames = Buffer.alloc(40_000);

const endings: readonly ((client: WireClient) => void | Promise<void>)[] = [
  (client) => void client.socket.resetAndDestroy(),
  (client) => void client.socket.end(),
  async (client) => {
    client.send(noFrames);
    await until(() => client.ending !== undefined);
    client.destroy();
  },
  async (client) => {
    if (await client.alive()) client.destroy();
  },
];

/** Sends `sequences` of frames, each on a connection of its own, some cut off or cut into pieces. */
export function wireFuzz(factory: WireServerFactory, sequences: number, firstSeed = 1): void {
  test(`${sequences} sequences of frames leave nothing behind`, { timeout: 300_000 }, async () => {
    const bench = await WireBench.open(factory);
    for (let seed = firstSeed; seed < firstSeed + sequences; seed++) {
      const random = randomNumbers(seed);
      // An acknowledgement could stand within a frame that is sent in pieces.
      const client = WireClient.over(await bench.server.connect(), { settings: random(3) === 0 ? [[4, pick(random, [0, 1, 1000])]] : [], acknowledge: false });
      const ending = random(4);
      const frames = Buffer.concat(randomFrames(random, ending < 3));
      if (random(3) === 0) {
        for (let at = 0; at < frames.length; ) {
          const size = 1 + random(200);
          client.send(frames.subarray(at, at + size));
          at += size;
          await new Promise<void>((resolve) => setImmediate(resolve));
        }
      } else {
        client.send(frames);
      }
      await endings[ending]?.(client);
      await until(() => client.closed);
      await bench.settled();
    }
    const client = WireClient.over(await bench.server.connect());
    expect(await client.get(1)).toBe("status 200");
    client.destroy();
    await bench.close();
  });
}
