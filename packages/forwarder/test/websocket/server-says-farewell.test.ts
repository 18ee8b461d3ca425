import { expect, test } from "vitest";
import type { ForwardOptions, WebSocketReport } from "../../src/index.ts";
import { FrameFollower } from "../../src/websocket/frame-follower.ts";
import { FakeUpgrade } from "../doubles/fake-tunnel.ts";
import { UpgradeBench } from "../doubles/upgrade-bench.ts";
import { close, frame, key, text } from "./frames.ts";

const goingAway = Buffer.from("880203e9", "hex");

function joined(protocol = "websocket", options: ForwardOptions = {}) {
  const reports: WebSocketReport[] = [];
  const upgrade = new FakeUpgrade(protocol);
  const bench = new UpgradeBench(upgrade, { version: "1.1", onWebSocketClosed: (report) => reports.push(report), ...options });
  bench.switch(101, [["Connection", "Upgrade"], ["Upgrade", protocol]]);
  return { bench, reports, client: upgrade.tunnel, destination: bench.destination };
}

/** What a destination was told: it has to be masked. */
function toldDestination(bytes: Buffer): [closed: boolean, code: number | undefined, masked: boolean] {
  const follower = new FrameFollower();
  follower.follow(bytes, 0, false);
  return [follower.closed, follower.closeCode, ((bytes[1] as number) & 0x80) !== 0];
}

test("both sides of an idle WebSocket get a Close with 1001, and the tunnel ends with their answers", () => {
  const { bench, reports, client, destination } = joined();
  client.push(text("a", key));
  client.shutDown();
  expect(client.written).toEqual([goingAway]);
  expect(toldDestination(destination.written[1] as Buffer)).toEqual([true, 1001, true]);
  // Nothing may follow a Close.
  client.push(text("b", key));
  destination.push(text("c"));
  expect([client.written.length, destination.written.length, bench.done]).toEqual([1, 2, 0]);
  client.push(close(1001, "", key));
  expect([client.ended, destination.ended]).toEqual([true, false]);
  destination.push(close(1001));
  expect([destination.ended, bench.done, bench.outcome]).toEqual([true, 1, undefined]);
  expect(reports).toMatchObject([{ closeReason: "GatewayShutdown", closeCode: 1001, messagesRead: 2, bytesRead: 7, bytesWritten: 0 }]);
  client.pushEnd();
  destination.pushEnd();
  expect(bench.timers.size).toBe(0);
});

test("a message under way is passed on whole, fragments and all, before the Close", () => {
  const { client, destination } = joined();
  const message = Buffer.concat([
    frame({ opcode: 1, fin: false, payload: Buffer.from("first ") }),
    frame({ opcode: 0, fin: true, payload: Buffer.from("second") }),
  ]);
  destination.push(message.subarray(0, 11));
  client.shutDown();
  expect(client.written).toHaveLength(1);
  destination.push(Buffer.concat([message.subarray(11), text("dropped")]));
  expect(Buffer.concat(client.written)).toEqual(Buffer.concat([message, goingAway]));
});

test("a side that said Close already is not answered by the gateway", () => {
  const { bench, client, destination } = joined();
  client.push(close(1000, "", key));
  client.shutDown();
  expect(destination.written).toHaveLength(1);
  destination.push(close(1000));
  expect(client.written).toHaveLength(1);
  destination.pushEnd();
  expect([bench.done, bench.outcome]).toEqual([1, undefined]);
});

test("a Close that comes instead of the end of a message takes the gateway's place", () => {
  const { client, destination } = joined();
  const half = frame({ opcode: 1, fin: false, payload: Buffer.from("a") });
  destination.push(half);
  client.shutDown();
  destination.push(close(1000));
  // A message that is never finished leaves no place for another Close.
  expect(Buffer.concat(client.written)).toEqual(Buffer.concat([half, close(1000)]));
});

test("what is no WebSocket, or not in its framing, is left to the end of the grace period", () => {
  const spdy = joined("SPDY/3.1");
  spdy.client.shutDown();
  const broken = joined();
  broken.destination.push(Buffer.from([0x08, 0x00]));
  broken.client.push(Buffer.from([0x08, 0x00]));
  broken.client.shutDown();
  expect([spdy.client.written.length, broken.client.written.length, broken.destination.written.length]).toEqual([0, 1, 1]);
});

test("sides that do not end after their answers are cut after a while", () => {
  const { bench, client, destination } = joined();
  client.shutDown();
  client.push(close(1001, "", key));
  destination.push(close(1001));
  expect(bench.done).toBe(1);
  bench.timers.advance(600);
  expect([client.aborted === undefined, destination.aborted === undefined, bench.timers.size]).toEqual([false, false, 0]);
});

test("a report tells what was carried and who closed first", () => {
  const { reports, client, destination } = joined();
  client.push(Buffer.concat([text("hello", key), close(4001, "bye", key)]));
  destination.push(text("hi"));
  destination.push(close(4001));
  destination.pushEnd();
  expect(reports).toMatchObject([{
    closeReason: "ClientGracefulClose", closeCode: 4001, closeText: "bye", messagesRead: 1, messagesWritten: 1, bytesRead: 22, bytesWritten: 8,
  }]);
});

test("a report names the activity timeout, and who left without a Close", () => {
  const idle = joined("websocket", { activityTimeout: 1000 });
  idle.bench.timers.advance(102);
  const gone = joined();
  gone.client.lose(new Error("reset"));
  const cut = joined();
  cut.destination.pushEnd();
  expect([idle, gone, cut].map(({ reports }) => reports.map(({ closeReason }) => closeReason))).toEqual([
    ["ActivityTimeout"], ["ClientDisconnect"], ["ServerDisconnect"],
  ]);
});

test("the signal of a gateway that goes away does the same, also when it came first", () => {
  const shutdown = new AbortController();
  const { bench, client, destination } = joined("websocket", { shutdown: shutdown.signal });
  shutdown.abort();
  expect([client.written, destination.written.length]).toEqual([[goingAway], 1]);
  const late = joined("websocket", { shutdown: shutdown.signal });
  expect([late.client.written, late.destination.written.length]).toEqual([[goingAway], 1]);
  client.push(close(1001, "", key));
  destination.push(close(1001));
  expect([bench.done, bench.outcome]).toEqual([1, undefined]);
});

test.each(["websocket", "SPDY/3.1"])("a tunnel (%s) that is cut once the gateway goes away is nobody else's failure", (protocol) => {
  const { bench, client } = joined(protocol);
  client.shutDown();
  client.lose(new Error("the grace period is over"));
  expect(bench.outcome).toMatchObject({ code: "UpgradeRequestCanceled", source: "gateway" });
});
