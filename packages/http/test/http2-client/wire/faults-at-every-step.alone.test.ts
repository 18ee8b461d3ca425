/** A destination that breaks off, or says nothing more, at every step: each request ends once, and nothing is left of it. */
import { expect, test } from "vitest";
import { createVersionedClient } from "../../../src/index.ts";
import { sendTo, type RecordedCall } from "../../contract/destination-call.ts";
import { BodyCollector, MemoryBody, turns, until } from "../../contract/recorders.ts";
import { type FrameConnection, FramePeer, frameType } from "../frame-peer.ts";
import { block, data, frame, open, settings, whole } from "../../http2-wire/frames-to-send.ts";

/** Sockets and timers that hold the process. */
const resources = (): number => process.getActiveResourcesInfo().filter((name) => /TCP|TLS|Timeout/.test(name)).length;

const head = open(1, [[":status", "200"], ["content-length", "10"]]);
const trailers = whole(1, [["x-sum", "1"]]);

/** What the destination has said when it breaks off. `fails`: the step at which the request fails then. */
const steps: readonly { readonly name: string; readonly bytes: Buffer; readonly fails: string; readonly greets?: boolean }[] = [
  { name: "nothing", bytes: Buffer.alloc(0), fails: "connect", greets: false },
  { name: "half of its SETTINGS", bytes: settings([[3, 10]]).subarray(0, 12), fails: "connect", greets: false },
  { name: "its SETTINGS", bytes: Buffer.alloc(0), fails: "request-body" },
  { name: "half of a frame's header", bytes: head.subarray(0, 5), fails: "request-body" },
  { name: "half of a header block", bytes: frame(frameType.headers, 0, 1, block([[":status", "200"]]).subarray(0, 3)), fails: "request-body" },
  { name: "an interim response", bytes: open(1, [[":status", "103"]]), fails: "request-body" },
  { name: "a head", bytes: head, fails: "response-body" },
  { name: "half of a DATA frame", bytes: Buffer.concat([head, data(1, "hello").subarray(0, 11)]), fails: "response-body" },
  { name: "half of a body", bytes: Buffer.concat([head, data(1, "hello")]), fails: "response-body" },
  { name: "a whole body without its end", bytes: Buffer.concat([head, data(1, "hellothere")]), fails: "response-body" },
  { name: "half of its trailers", bytes: Buffer.concat([head, data(1, "hellothere"), trailers.subarray(0, 12)]), fails: "response-body" },
];

test.each(["end", "reset", "stall", "destroy"] as const)("%s at every step", async (how) => {
  const before = resources();
  for (const { name, bytes, fails, greets } of steps) {
    const there = await FramePeer.open(greets === false ? undefined : [[8, 1]]);
    const client = createVersionedClient({ timerInterval: 10 } as object);
    const destination = client.destination(there.origin);
    const body = new MemoryBody(["part"], { held: true });
    const exact = { httpVersion: "2", versionPolicy: "RequestVersionExact" } as const;
    const calls: RecordedCall[] = [sendTo(destination, { ...exact, body }), sendTo(destination, { ...exact, method: "POST" })];
    const connection = await there.accept();
    if (greets !== false) await connection.begun(2);
    if (greets !== false) await connection.frame(frameType.data, 1);
    await said(connection, bytes, how === "end" || how === "reset");
    if (how === "end") connection.socket.end();
    else if (how === "reset") connection.socket.resetAndDestroy();
    else if (how === "destroy") client.destroy(new Error("shut down"));
    else for (const call of calls) call.call.abort(new Error("took too long"));
    if (how !== "stall") {
      for (const call of calls) await call.failure;
      expect([name, calls[0]?.error?.source], how).toEqual([name, how === "destroy" ? "gateway" : "destination"]);
      // A reset may overtake what came before it.
      if (how === "end") expect([name, calls[0]?.error?.step]).toEqual([name, fails]);
      expect(calls[0]?.error?.requestSent).toBe(greets !== false);
    }
    client.destroy();
    await client.close();
    await until(() => greets === false ? !body.started : body.cancelled);
    for (const call of calls) expect([name, call.finals, ...call.problems]).toEqual([name, how === "stall" ? 0 : 1]);
    await there.close();
  }
  await turns(3);
  await until(() => resources() <= before);
});

test("a tunnel is cut at every step, and nothing is left of it", async () => {
  const before = resources();
  for (const how of ["end", "reset", "garbage", "destroy"] as const) {
    const there = await FramePeer.open([[8, 1]]);
    const client = createVersionedClient({ timerInterval: 10 } as object);
    const call = sendTo(client.destination(there.origin), { method: "CONNECT", upgrade: "websocket", httpVersion: "2", versionPolicy: "RequestVersionExact" });
    const connection = await there.accept();
    await connection.begun(1);
    connection.socket.write(Buffer.concat([open(1, [[":status", "200"]]), data(1, "early")]));
    const { tunnel } = await call.upgraded;
    const sink = new BodyCollector();
    tunnel.read(sink);
    await sink.first;
    if (how === "end") connection.socket.end();
    else if (how === "reset") connection.socket.resetAndDestroy();
    else if (how === "garbage") connection.socket.write(Buffer.alloc(40, 0xff));
    else client.destroy();
    await expect(sink.done).rejects.toBeInstanceOf(Error);
    tunnel.write(Buffer.from("late"));
    tunnel.end();
    client.destroy();
    await client.close();
    await there.close();
  }
  await turns(3);
  await until(() => resources() <= before);
});

/** `bytes` were written, and all that the client had to say to them came back where it still can. */
async function said(connection: FrameConnection, bytes: Buffer, whole: boolean): Promise<void> {
  await new Promise<void>((resolve) => connection.socket.write(bytes.length === 0 ? Buffer.alloc(0) : bytes, () => resolve()));
  if (!whole) await turns(5);
}
