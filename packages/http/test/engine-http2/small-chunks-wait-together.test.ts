/** What waits for a client's window costs little more than its bytes, however small the chunks are that it came in. */
import { array, assert, integer, oneof, property, record } from "fast-check";
import { expect, test } from "vitest";
import type { FrameWriter } from "../../src/engine/http2/frame-writer.ts";
import { Http2Stream } from "../../src/engine/http2/stream.ts";

/** A stream of a client that has opened no window yet. */
function closedStream(): { stream: Http2Stream; sent: Buffer[] } {
  const sent: Buffer[] = [];
  const writer = {
    data: (_id: number, chunk: Uint8Array, from: number, to: number) => void sent.push(Buffer.from(chunk.subarray(from, to))),
    endStream: () => undefined,
  } as unknown as FrameWriter;
  const stream = new Http2Stream({
    writer, sendWindow: 1 << 30, maximumQueued: 65_536, mayWrite: () => true, awaitTurn: () => undefined, endWritten: () => undefined,
    closed: () => undefined, resetWritten: () => undefined, credit: () => undefined,
  }, 1, 0, true);
  stream.listener = { received: () => undefined, receivedEnd: () => undefined, drained: () => undefined };
  return { stream, sent };
}

/** Lets it send all that waits, and gives in how many turns. */
function turnsOf(stream: Http2Stream): number {
  stream.sendWindow = 1 << 30;
  let turns = 1;
  while (stream.takeTurn()) turns++;
  return turns;
}

test("many chunks of one byte are few chunks", () => {
  const { stream, sent } = closedStream();
  const count = 60_000;
  for (let i = 0; i < count; i++) stream.write(Buffer.from([i % 251]));
  expect(turnsOf(stream)).toBeLessThan(20);
  expect(Buffer.concat(sent).equals(Buffer.from(Array.from({ length: count }, (_, i) => i % 251)))).toBe(true);
});

test("chunks of any size leave in their order, also when what is sent ends within one and others come behind it", () => {
  const step = oneof(
    record({ write: oneof(integer({ min: 1, max: 40 }), integer({ min: 1000, max: 5000 })) }),
    record({ window: integer({ min: 0, max: 6000 }) }),
  );
  assert(
    property(array(step, { maxLength: 60 }), (steps) => {
      const { stream, sent } = closedStream();
      const written: Buffer[] = [];
      let next = 0;
      for (const one of steps) {
        if ("write" in one) {
          const chunk = Buffer.from(Array.from({ length: one.write }, () => next++ % 251));
          written.push(Buffer.from(chunk));
          stream.write(chunk);
          // Small ones are ours from now on; large ones are kept as they are.
          if (chunk.length < 1000 && stream.queued > 0) chunk.fill(255);
        } else {
          stream.sendWindow += one.window;
          while (stream.takeTurn());
        }
      }
      turnsOf(stream);
      expect(Buffer.concat(sent).equals(Buffer.concat(written))).toBe(true);
    }),
  );
});
