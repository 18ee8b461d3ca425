import { assert, array, boolean, constantFrom, integer, nat, property, record, uint8Array } from "fast-check";
import { describe, expect, test } from "vitest";
import { FrameFollower } from "../../src/websocket/frame-follower.ts";
import { close, frame, key, text } from "./frames.ts";

const frames = array(
  record({
    opcode: constantFrom(0, 1, 2, 9, 10),
    fin: boolean(),
    length: constantFrom(0, 1, 125, 126, 127, 65_535, 65_536, 70_000),
    mask: constantFrom(undefined, key),
  }),
  { maxLength: 12 },
);

describe("frames", () => {
  test("are counted alike however they are cut", () => {
    assert(property(frames, array(nat(149), { maxLength: 200 }), (shapes, cuts) => {
      const legal = shapes.map((shape) => (shape.opcode >= 8 ? { ...shape, fin: true, length: Math.min(shape.length, 125) } : shape));
      const bytes = Buffer.concat(legal.map(({ opcode, fin, length, mask }) => frame({ opcode, fin, payload: Buffer.alloc(length), mask })));
      const follower = new FrameFollower();
      let at = 0;
      for (const size of [...cuts, ...cuts, bytes.length]) {
        follower.follow(bytes.subarray(at, at + size), 0, false);
        at += size;
      }
      const data = legal.filter(({ opcode }) => opcode < 8);
      expect(follower.messages).toBe(data.filter(({ fin }) => fin).length);
      expect(follower.lost).toBe(false);
      expect(follower.atRest).toBe(data.at(-1)?.fin !== false);
    }), { numRuns: 60 });
  });

  test("stop at the end of each message when asked to, not between its fragments", () => {
    const fragments = [frame({ opcode: 1, fin: false, payload: Buffer.from("ab") }), frame({ opcode: 9, fin: true, payload: Buffer.alloc(3) }), frame({ opcode: 0, fin: true, payload: Buffer.from("c") })];
    const bytes = Buffer.concat([...fragments, text("next")]);
    const follower = new FrameFollower();
    expect(follower.follow(bytes, 0, true)).toBe(Buffer.concat(fragments).length);
    expect([follower.messages, follower.atRest]).toEqual([1, true]);
  });

  test.each([["as a server sends it", undefined], ["masked", key]])("tell what a Close says, %s", (_how, mask) => {
    assert(property(integer({ min: 1, max: 20 }), (size) => {
      const bytes = Buffer.concat([close(4000, "Tschüß", mask), close(1001, "later", mask)]);
      const follower = new FrameFollower();
      for (let at = 0; at < bytes.length; at += size) follower.follow(bytes.subarray(at, at + size), 0, false);
      expect([follower.closed, follower.closeCode, follower.closeReason]).toEqual([true, 4000, "Tschüß"]);
    }));
  });

  test("that say Close without a code have none", () => {
    const follower = new FrameFollower();
    follower.follow(frame({ opcode: 8, fin: true, payload: new Uint8Array(0), mask: key }), 0, false);
    expect([follower.closed, follower.closeCode, follower.closeReason]).toEqual([true, undefined, undefined]);
  });

  test.each([
    ["a fragmented Close", [0x08, 0x00]],
    ["a long ping", [0x89, 0x7e, 0x00, 0x80]],
    ["a length beyond all measure", [0x82, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]],
  ])("are given up at %s", (_what, bytes) => {
    const follower = new FrameFollower();
    follower.follow(Uint8Array.from(bytes), 0, false);
    expect([follower.lost, follower.atRest]).toEqual([true, false]);
    expect(follower.follow(text("a"), 0, true)).toBe(3);
    expect(follower.messages).toBe(0);
  });

  test("of any bytes never throw", () => {
    assert(property(uint8Array({ maxLength: 300 }), (bytes) => {
      const follower = new FrameFollower();
      for (let at = 0; at < bytes.length;) at = follower.follow(bytes, at, true);
    }));
  });
});
