import { array, assert, integer, nat, property, tuple, uint8Array } from "fast-check";
import { describe, expect, test } from "vitest";
import { type FrameHandler, FrameReader } from "../../src/engine/http2/frame-reader.ts";
import { frameFlag, frameHeaderSize, frameType, readUint32, writeFrameHeader } from "../../src/engine/http2/frames.ts";

/** Writes down what a reader finds; the parts of a DATA frame as one text. */
class Recorder implements FrameHandler {
  readonly events: unknown[] = [];
  stopAt = Infinity;
  reader: FrameReader | undefined;
  #data = "";

  #push(...event: unknown[]): void {
    this.events.push(event);
    if (this.events.length >= this.stopAt) this.reader?.stop();
  }

  onFrame(type: number, flags: number, streamId: number, buffer: Buffer, start: number, end: number): void {
    this.#push("frame", type, flags, streamId, buffer.toString("hex", start, end));
  }
  onDataStart(streamId: number, flags: number, length: number): void {
    this.#data = "";
    this.#push("data", streamId, flags, length);
  }
  onData(buffer: Buffer, start: number, end: number): void {
    expect(end).toBeGreaterThan(start);
    this.#data += buffer.toString("hex", start, end);
  }
  onDataEnd(): void {
    this.#push("data end", this.#data);
  }
  onUnknownFrame(type: number, flags: number, streamId: number, length: number): void {
    this.#push("unknown", type, flags, streamId, length);
  }
  onFrameTooLarge(type: number, flags: number, streamId: number, length: number): void {
    this.#push("too large", type, flags, streamId, length);
  }
  onPaddingTooLong(streamId: number): void {
    this.#push("padding", streamId);
  }
}

function frame(type: number, flags: number, streamId: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.alloc(frameHeaderSize + payload.length);
  writeFrameHeader(bytes, 0, payload.length, type, flags, streamId);
  bytes.set(payload, frameHeaderSize);
  return bytes;
}

function read(chunks: readonly Buffer[], options: { readonly maximum?: number; readonly stopAt?: number } = {}): Recorder {
  const recorder = new Recorder();
  const reader = new FrameReader(recorder, options.maximum ?? 16_384);
  recorder.reader = reader;
  recorder.stopAt = options.stopAt ?? Infinity;
  for (const chunk of chunks) {
    // As a socket that reads into the same memory again.
    const memory = Buffer.concat([Buffer.from("xx"), chunk, Buffer.from("yy")]);
    reader.read(memory, 2, 2 + chunk.length);
    memory.fill(0xee);
  }
  return recorder;
}

const bytes = (length: number): Buffer => Buffer.from(Array.from({ length }, (_none, i) => i & 0xff));
const stream = Buffer.concat([
  frame(frameType.settings, 0, 0, bytes(12)),
  frame(frameType.settings, frameFlag.ack, 0, bytes(0)),
  frame(frameType.headers, frameFlag.endHeaders, 1, bytes(40)),
  frame(frameType.data, 0, 1, bytes(30)),
  frame(frameType.data, frameFlag.padded, 1, Buffer.from([3, 1, 2, 3, 4, 0, 0, 0])),
  frame(frameType.data, frameFlag.padded, 1, Buffer.from([2, 0, 0])),
  frame(frameType.data, frameFlag.padded | frameFlag.endStream, 1, Buffer.from([0])),
  frame(frameType.data, 0, 3, bytes(0)),
  frame(0xfa, 7, 5, bytes(20)),
  frame(0x0a, 0, 5, bytes(0)),
  frame(frameType.ping, 0, 0x7fffffff, bytes(8)),
  frame(frameType.data, frameFlag.endStream, 3, bytes(0)),
]);
const whole = read([stream]).events;

describe("frames", () => {
  test("are found", () => {
    expect(whole).toEqual([
      ["frame", 4, 0, 0, "000102030405060708090a0b"],
      ["frame", 4, 1, 0, ""],
      ["frame", 1, 4, 1, bytes(40).toString("hex")],
      ["data", 1, 0, 30], ["data end", bytes(30).toString("hex")],
      ["data", 1, 8, 8], ["data end", "01020304"],
      ["data", 1, 8, 3], ["data end", ""],
      ["data", 1, 9, 1], ["data end", ""],
      ["data", 3, 0, 0], ["data end", ""],
      ["unknown", 0xfa, 7, 5, 20],
      ["unknown", 0x0a, 0, 5, 0],
      ["frame", 6, 0, 0x7fffffff, "0001020304050607"],
      ["data", 3, 1, 0], ["data end", ""],
    ]);
  });

  test("are the same wherever the stream is cut in two", () => {
    for (let at = 0; at <= stream.length; at++) expect(read([stream.subarray(0, at), stream.subarray(at)]).events).toEqual(whole);
  });

  test("are the same in chunks of one to forty octets", () => {
    for (let size = 1; size <= 40; size++) {
      const chunks: Buffer[] = [];
      for (let at = 0; at < stream.length; at += size) chunks.push(stream.subarray(at, at + size));
      expect(read(chunks).events).toEqual(whole);
    }
  });

  test("of any bytes are the same however they are cut, with the same end", () => {
    const frames = array(
      tuple(integer({ min: 0, max: 12 }), integer({ min: 0, max: 255 }), integer({ min: 0, max: 0xffffffff }), uint8Array({ maxLength: 90 })),
      { maxLength: 12 },
    );
    const cuts = array(nat(1000), { maxLength: 12 });
    assert(
      property(frames, cuts, uint8Array({ maxLength: 20 }), integer({ min: 1, max: 12 }), (list, places, rest, stopAt) => {
        const sent = Buffer.concat([...list.map(([type, flags, id, payload]) => frame(type, flags, id, payload)), rest]);
        const sorted = [...places.map((place) => Math.min(place, sent.length)), sent.length].sort((a, b) => a - b);
        const chunks = sorted.map((to, i) => sent.subarray(sorted[i - 1] ?? 0, to));
        const limits = { maximum: 80, stopAt };
        expect(read(chunks, limits).events).toEqual(read([sent], limits).events);
      }),
      { numRuns: 2000 },
    );
  });

  test("larger than allowed are told before their payload comes, and are the last", () => {
    const large = frame(frameType.headers, 4, 1, bytes(101)).subarray(0, 9);
    const recorder = read([large, frame(frameType.ping, 0, 0, bytes(8))], { maximum: 100 });
    expect(recorder.events).toEqual([["too large", 1, 4, 1, 101]]);
    expect(read([frame(frameType.headers, 4, 1, bytes(100))], { maximum: 100 }).events).toHaveLength(1);
  });

  test("of DATA with padding over all of it are refused, and are the last", () => {
    const ping = frame(frameType.ping, 0, 0, bytes(8));
    expect(read([frame(0, frameFlag.padded, 1, Buffer.from([3, 0, 0])), ping]).events).toEqual([["data", 1, 8, 3], ["padding", 1]]);
    expect(read([frame(0, frameFlag.padded, 1, bytes(0)), ping]).events).toEqual([["padding", 1]]);
  });

  test("are not read further once the handler stopped the reader, in the middle of DATA as well", () => {
    expect(read([stream], { stopAt: 4 }).events).toEqual(whole.slice(0, 4));
    expect(read([stream], { stopAt: 1 }).events).toEqual(whole.slice(0, 1));
  });
});

test("a reader is idle between frames alone", () => {
  const reader = new FrameReader(new Recorder(), 100);
  const ping = frame(frameType.ping, 0, 0, bytes(8));
  expect(reader.idle).toBe(true);
  for (let at = 0; at < ping.length; at++) {
    reader.read(ping, at, at + 1);
    expect(reader.idle).toBe(at === ping.length - 1);
  }
});

test("the header of a frame keeps its numbers", () => {
  const target = Buffer.alloc(10);
  expect(writeFrameHeader(target, 1, 0xffeedd, 0xab, 0xcd, 0x7fffffff)).toBe(10);
  expect(target.toString("hex")).toBe("00ffeeddabcd7fffffff");
  expect(readUint32(Buffer.from("80000001", "hex"), 0)).toBe(0x80000001);
});
