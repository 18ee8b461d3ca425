import { expect, test } from "vitest";
import { HeaderList } from "../../src/index.ts";
import type { RecordedCall } from "../contract/destination-call.ts";
import { MemoryBody, turns, until } from "../contract/recorders.ts";
import { http2Bench } from "./bench.ts";
import { frameType } from "./frame-peer.ts";

const bench = http2Bench();

test("a destination that takes nothing gets no further requests, and is given up before what waits for it fills the memory", async () => {
  const there = await bench.frames([[3, 1000]]);
  const one = bench.client(there);
  const trailers = new HeaderList();
  for (const name of ["x-a", "x-b"]) trailers.append(name, "~".repeat(30_000));
  // Trailers wait for no window: the socket alone holds them back.
  const bodies = Array.from({ length: 1000 }, () => new MemoryBody([], { held: true, trailers }));
  const calls: RecordedCall[] = bodies.map((body) => bench.send(one, { method: "POST", body }));
  const connection = await there.accept();
  await connection.begun(bodies.length);
  await until(() => bodies.every(({ started }) => started));
  connection.socket.pause();
  let finished = 0;
  while (calls[0]?.error === undefined && finished < bodies.length) {
    for (const body of bodies.slice(finished, (finished += 20))) body.finish();
    await turns(5);
    // It is looked at when something comes.
    connection.write(frameType.ping, 0, 0, Buffer.alloc(8));
    await turns(20);
  }
  for (const call of calls) {
    const error = await call.failure;
    expect(error).toMatchObject({ source: "destination", requestSent: true });
    expect(error.message).toContain("it takes nothing of what it asks for");
  }
  const next = bench.send(one);
  const fresh = await there.accept();
  await fresh.begun(1);
  fresh.head(1, true);
  await next.result;
  connection.socket.destroy();
});
