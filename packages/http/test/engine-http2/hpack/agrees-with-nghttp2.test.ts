/** Both directions against the HPACK of `node:http2`, which is nghttp2, over thousands of lists with evictions. */
import { type ClientHttp2Session, connect, type IncomingHttpHeaders, type OutgoingHttpHeaders, sensitiveHeaders } from "node:http2";
import { duplexPair } from "node:stream";
import { afterEach, expect, test } from "vitest";
import { type FrameHandler, FrameReader } from "../../../src/engine/http2/frame-reader.ts";
import { clientPreface, frameFlag, frameType, readUint32, settingId, writeFrameHeader, writeUint32 } from "../../../src/engine/http2/frames.ts";
import { HpackEncoder } from "../../../src/engine/http2/hpack/hpack-encoder.ts";
import { decoder, type Field, FieldCollector } from "./collect.ts";

const sessions: ClientHttp2Session[] = [];
afterEach(() => {
  for (const session of sessions.splice(0)) session.destroy();
});

/** A server of header blocks: keeps those of requests, and answers each with the fields of a list. */
class BlockServer implements FrameHandler {
  readonly requests: (readonly Field[])[] = [];
  readonly #write: (bytes: Buffer) => void;
  readonly #decoder;
  readonly #encoder: HpackEncoder;
  readonly #answer: (request: number) => readonly Field[];
  #block = Buffer.alloc(0);

  constructor(write: (bytes: Buffer) => void, tableSize: number, answer: (request: number) => readonly Field[]) {
    this.#write = write;
    this.#answer = answer;
    this.#decoder = decoder(tableSize);
    this.#encoder = new HpackEncoder({ maxTableSize: 16_384 });
    const settings = Buffer.alloc(15);
    writeFrameHeader(settings, 0, 6, frameType.settings, 0, 0);
    settings[10] = settingId.headerTableSize;
    writeUint32(settings, 11, tableSize);
    write(settings);
  }

  onFrame(type: number, flags: number, streamId: number, buffer: Buffer, start: number, end: number): void {
    if (type === frameType.settings) {
      if ((flags & frameFlag.ack) !== 0) this.#decoder.settingsAcknowledged();
      else this.#settings(buffer, start, end);
    }
    if (type !== frameType.headers && type !== frameType.continuation) return;
    const from = start + ((flags & frameFlag.priority) !== 0 && type === frameType.headers ? 5 : 0);
    this.#block = Buffer.concat([this.#block, buffer.subarray(from, end)]);
    if ((flags & frameFlag.endHeaders) === 0) return;
    const collector = new FieldCollector();
    expect(this.#decoder.decode(this.#block, 0, this.#block.length, collector)).toBe(true);
    this.#block = Buffer.alloc(0);
    const number = this.requests.push(collector.fields) - 1;
    this.#respond(streamId, this.#answer(number));
  }

  #settings(buffer: Buffer, start: number, end: number): void {
    for (let at = start; at < end; at += 6) {
      if (buffer.readUInt16BE(at) === settingId.headerTableSize) this.#encoder.setMaxTableSize(readUint32(buffer, at + 2));
    }
    const ack = Buffer.alloc(9);
    writeFrameHeader(ack, 0, 0, frameType.settings, frameFlag.ack, 0);
    this.#write(ack);
  }

  #respond(streamId: number, fields: readonly Field[]): void {
    const bytes = Buffer.alloc(40_000);
    let at = this.#encoder.beginBlock(bytes, 9);
    at = this.#encoder.writeStatus(200 + (streamId % 300), bytes, at);
    for (const [name, value, sensitive] of fields) at = this.#encoder.writeField(name, value, bytes, at, sensitive);
    expect(at).toBeLessThan(16_384);
    writeFrameHeader(bytes, 0, at - 9, frameType.headers, frameFlag.endHeaders | frameFlag.endStream, streamId);
    this.#write(bytes.subarray(0, at));
  }

  onDataStart(): void {}
  onData(): void {}
  onDataEnd(): void {}
  onUnknownFrame(): void {}
  onFrameTooLarge(): void {
    throw new Error("a frame is too large");
  }
  onPaddingTooLong(): void {
    throw new Error("a padding is too long");
  }
}

function connected(tableSize: number, clientTableSize: number, answer: (request: number) => readonly Field[]): { readonly session: ClientHttp2Session; readonly server: BlockServer } {
  const [near, far] = duplexPair();
  const server = new BlockServer((bytes) => void far.write(bytes), tableSize, answer);
  const reader = new FrameReader(server, 16_384);
  let greeted = 0;
  far.on("data", (chunk: Buffer) => {
    const skipped = Math.min(chunk.length, clientPreface.length - greeted);
    greeted += skipped;
    reader.read(chunk, skipped, chunk.length);
  });
  far.on("error", () => undefined);
  const session = connect("http://a.test", { createConnection: () => near, settings: { headerTableSize: clientTableSize, maxHeaderListSize: 100_000 }, maxHeaderListPairs: 1000 });
  sessions.push(session);
  return { session, server };
}

/** A small generator of its own, so that a failure comes again. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return Math.floor(((state >>> 8) / 0x1000000) * below);
  };
}

const names = ["accept", "cache-control", "content-type", "etag", "x-a", "x-b", "x-trace-of-this-request", "vary", "server", "link", "authorization", "x-rather-long-name-".repeat(5)];
const characters = Array.from({ length: 0xff - 0x20 }, (_none, i) => String.fromCharCode(0x21 + i)).filter((character) => character !== "\x7f");

function randomFields(random: (below: number) => number, prefix: string): readonly Field[] {
  const fields: Field[] = [];
  const used = new Set<string>();
  for (let i = random(12); i >= 0; i--) {
    const name = random(4) === 0 ? `${prefix}-${random(300)}` : (names[random(names.length)] as string);
    if (used.has(name)) continue;
    used.add(name);
    const value = randomValue(random);
    fields.push(random(8) === 0 ? [name, value, true] : [name, value]);
  }
  return fields;
}

function randomValue(random: (below: number) => number): string {
  const kind = random(4);
  if (kind === 0) return `value ${random(5)}`;
  if (kind === 1) return "";
  const length = kind === 2 ? random(40) : random(6) === 0 ? random(1500) : random(300);
  let value = "";
  for (let i = 0; i < length; i++) value += characters[random(random(3) === 0 ? characters.length : 90)];
  return value;
}

function sent(fields: readonly Field[]): OutgoingHttpHeaders {
  return { ...Object.fromEntries(fields.map(([name, value]) => [name, value])), [sensitiveHeaders]: fields.filter(([, , sensitive]) => sensitive).map(([name]) => name) };
}

async function response(session: ClientHttp2Session, headers: OutgoingHttpHeaders): Promise<IncomingHttpHeaders> {
  const stream = session.request(headers, { endStream: true });
  return await new Promise((resolve, reject) => {
    stream.on("response", (fields) => resolve(fields));
    stream.on("error", reject);
    stream.resume();
  });
}

test.each([
  [4096, 4096, 1],
  [4096, 65_536, 2],
  [256, 100, 3],
  [0, 0, 4],
  [16_384, 12_000, 5],
])("with tables of %i and %i bytes", async (tableSize, clientTableSize, seed) => {
  const random = randomNumbers(seed);
  const answers: (readonly Field[])[] = [];
  const { session, server } = connected(tableSize, clientTableSize, () => {
    const fields = randomFields(random, "r");
    answers.push(fields);
    return fields;
  });
  const expected: Field[][] = [];
  for (let i = 0; i < 600; i++) {
    const fields = randomFields(random, "q");
    expected.push([[":path", `/${i % 7}`], [":method", "GET"], [":authority", "a.test:80"], [":scheme", "http"], ...fields]);
    const headers = await response(session, { ":path": `/${i % 7}`, ...sent(fields) });
    const answer = answers[i] as readonly Field[];
    expect(headers[":status" as keyof IncomingHttpHeaders]).toBe(200 + ((2 * i + 1) % 300));
    for (const [name, value] of answer) expect(headers[name]).toBe(value);
    if (random(60) === 0) session.settings({ headerTableSize: random(3) === 0 ? 0 : random(clientTableSize + 1) });
  }
  expect(server.requests).toHaveLength(expected.length);
  for (const [i, fields] of server.requests.entries()) {
    expect(new Map(fields.map(([name, value]) => [name, value]))).toEqual(new Map((expected[i] as Field[]).map(([name, value]) => [name, value])));
    // nghttp2 lets credentials never be indexed.
    const secret = (list: readonly Field[]): string[] => list.filter(([name, , sensitive]) => sensitive || name === "authorization").map(([name]) => name);
    expect(fields.filter(([, , sensitive]) => sensitive).map(([name]) => name)).toEqual(secret(expected[i] as Field[]));
  }
});
