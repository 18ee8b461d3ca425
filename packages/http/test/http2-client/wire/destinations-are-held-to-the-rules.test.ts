/** Whatever a destination sends, its request fails as one that the destination failed, and nobody else's does unless the connection is beyond use. */
import { expect, test } from "vitest";
import { errorCode } from "../../../src/engine/http2/frames.ts";
import { codeName } from "../../../src/engine/http2/client/stream-faults.ts";
import { until } from "../../contract/recorders.ts";
import { http2Bench } from "../bench.ts";
import { frameType } from "../frame-peer.ts";
import { destinationRules } from "./destination-rules.ts";

const bench = http2Bench();

test.each(destinationRules.map((rule) => [rule.name, rule.outcome, rule] as const))("%s: %s", async (_name, outcome, rule) => {
  const there = await bench.frames([]);
  // On a clock that stands nothing makes up for a flood, however slow the machine is.
  const one = bench.client(there, { now: () => 0 } as object);
  const call = bench.send(one, { method: rule.method ?? "GET" });
  if (rule.paused === true) call.call.pause();
  const connection = await there.accept();
  // A GET would go out once more where the connection has answered before.
  const other = bench.send(one, { target: "/other", method: "POST" });
  await connection.begun(2);
  connection.socket.write(Buffer.concat(rule.bytes));

  const [kind = "", code = ""] = outcome.split(" ");
  const answered = /(?:^| after )(200 [^]*)$/u.exec(outcome)?.[1];
  if (answered !== undefined) {
    const { status, body } = await call.result;
    expect(`${status} ${body}`).toBe(answered);
  } else {
    expect(await call.failure).toMatchObject({ source: "destination", step: rule.step, timedOut: false });
  }
  if (kind === "connection" || kind === "ended") {
    expect(await other.failure).toMatchObject({ source: "destination", step: "request", requestSent: true });
    if (kind === "connection") {
      const goaway = await connection.frame(frameType.goaway);
      expect(codeName(goaway.payload.readUInt32BE(4))).toBe(code);
    }
    await until(() => connection.socket.readableEnded || connection.socket.destroyed);
    const next = bench.send(one);
    const fresh = await there.accept();
    await fresh.begun(1);
    fresh.head(1, true);
    await next.result;
    return;
  }
  if (kind === "stream" && !outcome.endsWith("or none")) {
    const reset = await connection.frame(frameType.rstStream, 1);
    expect(codeName(reset.payload.readUInt32BE())).toBe(code);
  }
  // What still comes on a stream that we reset is nobody's, and all else goes on.
  if (kind === "stream" && !outcome.endsWith("or none")) connection.data(1, "late");
  connection.head(3);
  connection.data(3, "fine", true);
  expect((await other.result).body).toBe("fine");
  const next = bench.send(one);
  await connection.begun(3);
  connection.head(5, true);
  await next.result;
  expect([there.connections.length, connection.frames.some(({ type }) => type === frameType.goaway)]).toEqual([1, false]);
});

test("every code has its name", () => {
  expect(Object.values(errorCode).map(codeName)).toEqual([
    "NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED", "FRAME_SIZE_ERROR",
    "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM", "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED",
  ]);
});
