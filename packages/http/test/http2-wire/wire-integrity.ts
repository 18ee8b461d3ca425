/** Many bodies at once, both ways, through windows and a socket that open and close at random: each arrives as it was sent. */
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { frameFlag, frameType, readUint32, settingId } from "../../src/engine/http2/frames.ts";
import { until } from "../contract/recorders.ts";
import { frame, open, request, settings, windowUpdate } from "./frames-to-send.ts";
import { randomNumbers, type Random } from "./random-numbers.ts";
import type { WireServerFactory } from "./wire-bench.ts";
import type { WireClient } from "./wire-client.ts";
import { wireHarness } from "./wire-harness.ts";

const initialWindow = 65_535;

interface Upload {
  readonly id: number;
  readonly body: Buffer;
  sent: number;
  ended: boolean;
}

function randomBody(random: Random): Buffer {
  const body = Buffer.alloc(random(4) === 0 ? random(300_000) : random(5000));
  // Each place says where it is and whose.
  const first = random(256);
  const step = 1 + random(250);
  for (let i = 0; i < body.length; i++) body[i] = (first + i * step + (i >> 8)) & 0xff;
  return body;
}

function granted(client: WireClient, stream: number, from: number): number {
  return client.frames.filter(({ type, stream: of }) => type === frameType.windowUpdate && of === stream).reduce((sum, { payload }) => sum + readUint32(payload, 0), from);
}

/** Sends some of a body, as windows allow, in frames of any size. */
function sendSome(client: WireClient, upload: Upload, spent: { octets: number }, random: Random): void {
  const streamWindow = granted(client, upload.id, client.announced.get(settingId.initialWindowSize) ?? initialWindow);
  const room = Math.min(streamWindow - upload.sent, granted(client, 0, initialWindow) - spent.octets, 16_384);
  const left = upload.body.length - upload.sent;
  if (left > 0 && room < 1) return;
  const size = Math.min(left, room, random(3) === 0 ? random(100) : random(16_385));
  const payload = upload.body.subarray(upload.sent, upload.sent + size);
  upload.sent += size;
  spent.octets += size;
  const ends = upload.sent === upload.body.length && random(2) === 0;
  client.send(frame(frameType.data, ends ? frameFlag.endStream : 0, upload.id, payload));
  if (ends) upload.ended = true;
}

export function wireIntegrity(factory: WireServerFactory, seeds: readonly number[]): void {
  const connect = wireHarness(factory);
  test.each(seeds)("bodies arrive as they were sent (%i)", async (seed) => {
    const random = randomNumbers(seed);
    const { client } = await connect({ settings: [[settingId.initialWindowSize, random(2) === 0 ? 0 : random(100_000)]] });
    await client.alive();
    const uploads = Array.from({ length: 25 }, (_none, i): Upload => ({ id: 1 + 2 * i, body: randomBody(random), sent: 0, ended: false }));
    const spent = { octets: 0 };
    // More of them in no time are a flood.
    let changes = 10;
    for (const { id } of uploads) client.send(open(id, request("/echo", [], "POST")));
    for (let pending: readonly Upload[] = uploads; pending.length > 0; ) {
      const upload = pending[random(pending.length)] as Upload;
      const stream = client.stream(upload.id);
      if (!upload.ended) sendSome(client, upload, spent, random);
      if (random(4) === 0) client.send(windowUpdate(upload.id, 1 + random(50_000)), windowUpdate(0, 1 + random(50_000)));
      if (changes > 0 && random(30) === 0) {
        changes--;
        client.send(settings([[settingId.initialWindowSize, random(200_000)]]));
      }
      if (random(25) === 0) client.socket.pause();
      else client.socket.resume();
      if (random(3) === 0) await new Promise<void>((resolve) => setImmediate(resolve));
      expect([client.ending, stream.resetWith]).toEqual([undefined, undefined]);
      pending = pending.filter(({ id, ended }) => !(ended && client.stream(id).ended));
    }
    client.socket.resume();
    for (const { id, body } of uploads) {
      const stream = client.stream(id);
      expect([client.outcome(id), stream.size, digest(Buffer.concat(stream.data))]).toEqual(["status 200", body.length, digest(body)]);
    }
    await until(() => client.socket.writableLength === 0);
  });
}

function digest(bytes: Buffer): string {
  return createHash("sha1").update(bytes).digest("hex");
}
