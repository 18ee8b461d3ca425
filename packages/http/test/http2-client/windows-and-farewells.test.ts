import { describe, expect, test } from "vitest";
import { HeaderList } from "../../src/index.ts";
import { MemoryBody, until } from "../contract/recorders.ts";
import { http2Bench } from "./bench.ts";
import { type FrameConnection, frameType } from "./frame-peer.ts";

const bench = http2Bench();
const initialWindowSize = 4;
const initialWindow = 65_535;

const sizeOf = (connection: FrameConnection, stream: number): number =>
  connection.frames.filter((frame) => frame.type === frameType.data && frame.stream === stream).reduce((sum, { payload }) => sum + payload.length, 0);

/** What was written before it has come when a PING is answered. */
async function fence(connection: FrameConnection): Promise<void> {
  const answers = (): number => connection.frames.filter(({ type, flags }) => type === frameType.ping && flags === 1).length;
  const before = answers();
  connection.write(frameType.ping, 0, 0, Buffer.alloc(8));
  await until(() => answers() > before);
}

function widen(connection: FrameConnection, stream: number, count: number): void {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(count);
  connection.write(frameType.windowUpdate, 0, stream, payload);
}

describe("an upload over HTTP/2", () => {
  test("keeps to a window that was made smaller than what is on its way: below zero", async () => {
    const there = await bench.frames([[initialWindowSize, 1000]]);
    const call = bench.send(bench.client(there), { method: "POST", body: new MemoryBody(["x".repeat(3000)], { length: 3000 }) });
    const connection = await there.accept();
    await until(() => sizeOf(connection, 1) === 1000);
    connection.settings([[initialWindowSize, 400]]);
    await fence(connection);
    widen(connection, 1, 600);
    await fence(connection);
    expect(sizeOf(connection, 1)).toBe(1000);
    widen(connection, 1, 500);
    await fence(connection);
    expect(sizeOf(connection, 1)).toBe(1500);
    connection.settings([[initialWindowSize, 5000]]);
    await until(() => sizeOf(connection, 1) === 3000);
    expect(connection.frames.findLast(({ stream }) => stream === 1)?.flags).toBe(1);
    connection.head(1, true);
    await call.result;
  });

  test("waits with its trailers for the window of the connection; one that is given up leaves its share to others", async () => {
    const there = await bench.frames([[initialWindowSize, 1_000_000]]);
    const one = bench.client(there);
    const trailers = new HeaderList();
    trailers.append("x-sum", "1");
    const first = bench.send(one, { method: "POST", body: new MemoryBody(["x".repeat(initialWindow)], { length: initialWindow }) });
    const connection = await there.accept();
    await until(() => sizeOf(connection, 1) === initialWindow);
    const given = bench.send(one, { method: "POST", body: new MemoryBody(["y".repeat(5000)], { held: true }) });
    await connection.begun(2);
    const second = bench.send(one, { method: "POST", body: new MemoryBody(["z".repeat(10)], { trailers }) });
    await connection.begun(3);
    await fence(connection);
    given.call.abort(new Error("client left"));
    await connection.frame(frameType.rstStream, 3);
    widen(connection, 0, 10);
    await until(() => connection.frames.filter(({ type, stream }) => type === frameType.headers && stream === 5).length === 2);
    expect([sizeOf(connection, 3), sizeOf(connection, 5)]).toEqual([0, 10]);
    for (const id of [1, 5]) connection.head(id, true);
    await Promise.all([first.result, second.result]);
  });
});

test("a destination that goes away in two steps finishes what it names last, and the rest goes out anew once", async () => {
  const there = await bench.frames([]);
  const one = bench.client(there);
  const seen = bench.send(one, { method: "POST" });
  const unseen = bench.send(one, { method: "POST" });
  const old = await there.accept();
  await old.begun(2);
  old.goaway(0x7fffffff);
  await fence(old);
  const later = bench.send(one);
  const fresh = await there.accept();
  await fresh.begun(1);
  expect(old.requests).toEqual([1, 3]);
  old.goaway(1);
  await fresh.begun(2);
  old.head(1, true);
  for (const id of fresh.requests) fresh.head(id, true);
  await Promise.all([seen.result, unseen.result, later.result]);
  expect([old.requests, fresh.requests]).toEqual([[1, 3], [1, 3]]);
});
