import * as fc from "fast-check";
import { expect, test } from "vitest";
import { frame, FrameReader, handBackFrame, handOverFrame, maximumFrame, readHandBack, readHandOver, frameKind } from "../src/unix/frames.ts";

const bytes = fc.uint8Array({ maxLength: 300 }).map((each) => Buffer.from(each));
const id = fc.integer({ min: 0, max: 0xffff_ffff });
const bodyLength = fc.oneof(fc.constantFrom(-1, 0, 1, Number.MAX_SAFE_INTEGER), fc.nat());
const mode = fc.constantFrom("sticky" as const, "perRequest" as const);

const message = fc.oneof(
  fc.record({ type: fc.constant("handOver" as const), id, handOver: fc.record({ mode, hasDescriptor: fc.boolean(), bodyLength, head: bytes, rest: bytes }) }),
  fc.record({ type: fc.constant("handBack" as const), id, handBack: fc.record({ keepsCopy: fc.boolean(), rest: bytes }) }),
  fc.record({ type: fc.constant("plain" as const), id, kind: fc.integer({ min: 0, max: 255 }).filter((kind) => kind !== frameKind.handOver && kind !== frameKind.handBack), payload: bytes }),
);

test("what is written is read, however the bytes are split", () => {
  fc.assert(fc.property(fc.array(message, { maxLength: 6 }), fc.array(fc.nat(2000), { maxLength: 8 }), (messages, cuts) => {
    const wire = Buffer.concat(messages.map((each) => {
      if (each.type === "handOver") return handOverFrame(each.id, each.handOver);
      if (each.type === "handBack") return handBackFrame(each.id, each.handBack);
      return frame(each.kind, each.id, each.payload);
    }));
    const reader = new FrameReader();
    reader.trust();
    const seen: unknown[] = [];
    // The memory is used again for each read, as a door's is.
    const memory = Buffer.alloc(wire.length);
    const places = [0, ...cuts.map((cut) => Math.min(cut, wire.length)).sort((a, b) => a - b), wire.length];
    for (let i = 1; i < places.length; i++) {
      const length = wire.copy(memory, 0, places[i - 1], places[i]);
      reader.read(memory.subarray(0, length), (kind, number, payload) => {
        if (kind === frameKind.handOver) seen.push({ type: "handOver", id: number, handOver: readHandOver(payload) });
        else if (kind === frameKind.handBack) seen.push({ type: "handBack", id: number, handBack: readHandBack(payload) });
        else seen.push({ type: "plain", id: number, kind, payload: Buffer.from(payload) });
      });
      memory.fill(0xee);
    }
    expect(seen).toEqual(messages);
  }));
});

test("whatever comes, a payload is understood or refused by an error, and nothing beyond it is read", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (given) => {
    const payload = Buffer.from(given);
    for (const read of [readHandOver, readHandBack]) {
      let got: ReturnType<typeof readHandOver> | ReturnType<typeof readHandBack>;
      try {
        got = read(payload);
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
        continue;
      }
      const length = got.rest.length + ("head" in got ? got.head.length + 14 : 1);
      expect(length).toBe(payload.length);
    }
  }));
});

test("frames are bounded: by a kilobyte before the other side is known, and by the longest frame afterwards", () => {
  const longer = (length: number): Buffer => {
    const prefix = Buffer.alloc(9);
    prefix.writeUInt32LE(length, 0);
    return prefix;
  };
  const read = (reader: FrameReader, chunk: Buffer) => () => reader.read(chunk, () => undefined);
  expect(read(new FrameReader(), longer(1025))).toThrow("a frame of 1025 bytes");
  expect(read(new FrameReader(), longer(1024))).not.toThrow();
  const trusted = new FrameReader();
  trusted.trust();
  expect(read(trusted, longer(maximumFrame))).not.toThrow();
  expect(read(new FrameReader(), longer(4))).toThrow("a frame of 4 bytes");
  const other = new FrameReader();
  other.trust();
  expect(read(other, longer(maximumFrame + 1))).toThrow();
});
