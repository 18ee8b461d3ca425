import { createEngineServer } from "@proxy/http";
import { expect } from "vitest";
import type { ConformanceCase } from "@proxy/conformance";
// @boundaries-ignore the suite lives with its interface
import { RawClient } from "../../../http/test/contract/raw-client.ts";
// @boundaries-ignore the suite lives with its interface
import { until } from "../../../http/test/contract/recorders.ts";
import { createHttpClient, forward, type WebSocketReport } from "../../src/index.ts";
import { FrameFollower } from "../../src/websocket/frame-follower.ts";
import { RawDestination } from "../doubles/raw-destination.ts";
import { frame, key } from "../websocket/frames.ts";
import type { WebSocketPeer } from "../websocket/peer.ts";
import { over } from "./websocket-scenarios.ts";

type Case = Pick<ConformanceCase, "given" | "expect">;

/** Does what the table says in words, one after the other. */
async function behave(peer: WebSocketPeer, words: string): Promise<void> {
  for (const word of words.split(", ")) {
    if (word === "sends Close" || word === "answers with Close") peer.close(1000, "Bye");
    else if (word === "waits for Close") {
      for (let message = await peer.receive(); message !== undefined && message.opcode !== 8;) message = await peer.receive();
    } else if (word === "drops the connection") {
      // What was said before is not taken back.
      peer.stream.end(() => peer.stream.destroy());
    } else throw new Error(`unknown: ${word}`);
  }
  peer.stream.end();
}

async function report(client: (peer: WebSocketPeer) => Promise<void>, destination: (peer: WebSocketPeer) => Promise<void>): Promise<WebSocketReport> {
  const reports: WebSocketReport[] = [];
  await over({ clientVersion: "1.1", protocols: "Http1", tls: false, script: destination, onWebSocketClosed: (one) => reports.push(one) }, async (wire) => {
    const { peer } = await wire.connect();
    await client(peer as WebSocketPeer);
    await until(() => reports.length > 0);
  });
  expect(reports).toHaveLength(1);
  return reports[0] as WebSocketReport;
}

/** Sends `count` messages and reads `expected` ones. */
async function exchangeMessages(peer: WebSocketPeer, size: number, count: number, expected: number): Promise<void> {
  for (let i = 0; i < count; i++) peer.send(2, Buffer.alloc(size, i));
  for (let i = 0; i < expected; i++) expect((await peer.receive())?.payload.length).toBe(size);
}

export async function telemetryCounts({ given, expect: expected }: Case): Promise<void> {
  const { clientSends, destinationSends } = given;
  const size = Number(String(given.messageSize).replaceAll("_", ""));
  const seen = await report(
    async (peer) => {
      await exchangeMessages(peer, size, clientSends, destinationSends);
      await behave(peer, "sends Close, waits for Close");
    },
    async (peer) => {
      await exchangeMessages(peer, size, destinationSends, clientSends);
      await behave(peer, "waits for Close, answers with Close");
    },
  );
  expect([seen.messagesRead, seen.messagesWritten]).toEqual([expected.read, expected.written]);
  expect(expected.closeReasons).toContain(seen.closeReason);
  expect(seen.bytesRead).toBeGreaterThan(size * clientSends);
}

export async function telemetryClose({ given, expect: expected }: Case): Promise<void> {
  const seen = await report((peer) => behave(peer, given.client), (peer) => behave(peer, given.destination));
  expect(expected.closeReasons).toContain(seen.closeReason);
}

export async function telemetryNone({ expect: expected }: Case): Promise<void> {
  const reports: WebSocketReport[] = [];
  const destination = await RawDestination.open();
  const client = createHttpClient();
  const front = createEngineServer({
    handler: async (exchange) => void (await forward(exchange, destination.prefix, client, { onWebSocketClosed: (one) => reports.push(one) })),
  });
  try {
    const raw = await RawClient.open((await front.listen({ host: "127.0.0.1", port: 0 })).port);
    raw.write("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    const there = await destination.accept();
    await there.readUntil("\r\n\r\n");
    there.write("HTTP/1.1 204 No Content\r\n\r\n");
    await raw.readToEnd();
    expect(reports.length > 0).toBe(expected.reported);
    raw.destroy();
  } finally {
    await front.close(0);
    client.destroy();
    await destination.close();
  }
}

interface Shape {
  readonly opcode: number;
  readonly fin: boolean;
  readonly length: number;
}

function bytesOf(frames: readonly Shape[], masked: boolean): Buffer {
  return Buffer.concat(frames.map(({ opcode, fin, length }) => frame({ opcode, fin, payload: Buffer.alloc(length, 0x81), mask: masked ? key : undefined })));
}

/** `all`: the cases of this rule, for the one that asks for any of them. */
export function countFrames({ given, expect: expected }: Case, all: readonly Case[]): void {
  if (Array.isArray(given.frames)) {
    for (const masked of [false, true]) expect(count(bytesOf(given.frames, masked), Infinity)).toBe(expected.messages);
    return;
  }
  for (const one of all) {
    if (!Array.isArray(one.given.frames)) continue;
    for (const masked of given.masked) {
      const bytes = bytesOf(one.given.frames, masked);
      for (const piece of [1, 2, 3, 7, 149]) expect(count(bytes, piece)).toBe(one.expect.messages);
    }
  }
}

function count(bytes: Uint8Array, piece: number): number {
  const follower = new FrameFollower();
  follower.follow(bytes.subarray(0, 0), 0, false);
  for (let at = 0; at < bytes.length; at += piece) follower.follow(bytes.subarray(at, Math.min(at + piece, bytes.length)), 0, false);
  return follower.messages;
}
