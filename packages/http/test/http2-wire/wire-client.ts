import type { Socket } from "node:net";
import { type FrameHandler, FrameReader } from "../../src/engine/http2/frame-reader.ts";
import { clientPreface, errorCode, frameFlag, frameType, readUint32, settingId } from "../../src/engine/http2/frames.ts";
import { HpackDecoder } from "../../src/engine/http2/hpack/hpack-decoder.ts";
import { until } from "../contract/recorders.ts";
import { type Fields, frame, ping, settings, whole, request } from "./frames-to-send.ts";

export interface Received {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** What came back on one stream. */
export class ReceivedStream {
  /** Of each header section: interim heads, the head, trailers. */
  readonly heads: Fields[] = [];
  readonly data: Buffer[] = [];
  ended = false;
  /** The code of RST_STREAM. */
  resetWith: number | undefined = undefined;

  get status(): number | undefined {
    for (const head of this.heads) {
      const status = Number(head.find(([name]) => name === ":status")?.[1]);
      if (status >= 200) return status;
    }
    return undefined;
  }

  get body(): string {
    return Buffer.concat(this.data).toString("latin1");
  }

  get size(): number {
    return this.data.reduce((sum, bytes) => sum + bytes.length, 0);
  }
}

export interface WireOptions {
  /** What is sent first. Default the preface and SETTINGS. */
  readonly greeting?: Buffer | undefined;
  readonly settings?: readonly (readonly [id: number, value: number])[] | undefined;
  /** Acknowledge the server's SETTINGS at once, wherever in what is sent. Default true. */
  readonly acknowledge?: boolean | undefined;
}

/** A client that sends the frames it is told to, and reads all that comes. By itself it acknowledges SETTINGS and PING alone. */
export class WireClient implements FrameHandler {
  readonly socket: Socket;
  readonly frames: Received[] = [];
  /** What the server announced, the last value of each. */
  readonly announced = new Map<number, number>();
  closed = false;
  #acknowledge: boolean;
  readonly #reader = new FrameReader(this, 16_777_215);
  readonly #streams = new Map<number, ReceivedStream>();
  readonly #decoder: HpackDecoder;
  #data: Buffer[] = [];
  #current: Omit<Received, "payload"> | undefined;
  #block = Buffer.alloc(0);
  #blockEnds = false;
  #pings = 0;

  private constructor(socket: Socket, options: WireOptions) {
    this.socket = socket;
    this.#acknowledge = options.acknowledge ?? true;
    const tableSize = options.settings?.find(([id]) => id === settingId.headerTableSize)?.[1] ?? 4096;
    this.#decoder = new HpackDecoder({ maxTableSize: tableSize, maxHeaderListSize: 1 << 20 });
    socket.on("error", () => undefined);
    socket.on("data", (chunk: Buffer) => this.#reader.read(chunk, 0, chunk.length));
    socket.on("close", () => {
      this.closed = true;
    });
  }

  /** Begins to speak on a socket that is connected. */
  static over(socket: Socket, options: WireOptions = {}): WireClient {
    const client = new WireClient(socket, options);
    client.send(options.greeting ?? Buffer.concat([clientPreface, settings(options.settings ?? [])]));
    return client;
  }

  send(...frames: readonly Uint8Array[]): void {
    const bytes = Buffer.concat(frames);
    if (bytes.length > 0 && !this.closed && this.socket.writable) this.socket.write(bytes);
  }

  stream(id: number): ReceivedStream {
    const known = this.#streams.get(id);
    if (known !== undefined) return known;
    const fresh = new ReceivedStream();
    this.#streams.set(id, fresh);
    return fresh;
  }

  /** The last stream and the code of the last GOAWAY. */
  get goaway(): { readonly last: number; readonly code: number } | undefined {
    const found = this.frames.findLast(({ type }) => type === frameType.goaway);
    return found === undefined ? undefined : { last: readUint32(found.payload, 0) & 0x7fffffff, code: readUint32(found.payload, 4) };
  }

  /** What became of a stream: `status 200`, `stream CANCEL`, or undefined while nothing did. */
  outcome(id: number): string | undefined {
    const { status, ended, resetWith } = this.stream(id);
    // Whoever answers before the body came may let go of the rest (RFC 9113, 8.1).
    if (resetWith !== undefined && !(ended && resetWith === errorCode.noError)) return `stream ${nameOf(resetWith)}`;
    return ended ? `status ${status}` : undefined;
  }

  /** What became of the connection: `connection PROTOCOL_ERROR`, `closed`, or undefined. */
  get ending(): string | undefined {
    if (this.goaway !== undefined && this.goaway.code !== errorCode.noError) return `connection ${nameOf(this.goaway.code)}`;
    return this.closed ? "closed" : undefined;
  }

  /** Sends PING and waits for its answer: true, or for the end of the connection: false. */
  async alive(): Promise<boolean> {
    const text = `ping${String(this.#pings++).padStart(4, "0")}`;
    this.send(ping(text));
    const answer = (): boolean =>
      this.frames.some(({ type, flags, payload }) => type === frameType.ping && flags === frameFlag.ack && payload.toString("latin1") === text);
    await until(() => answer() || this.ending !== undefined);
    return answer();
  }

  /** Sends a GET and waits for its answer or the end of the connection. */
  async get(id: number, path = "/"): Promise<string | undefined> {
    this.send(whole(id, request(path)));
    await until(() => this.outcome(id) !== undefined || this.ending !== undefined);
    return this.outcome(id) ?? this.ending;
  }

  destroy(): void {
    this.socket.destroy();
  }

  onFrame(type: number, flags: number, stream: number, buffer: Buffer, start: number, end: number): void {
    this.#take({ type, flags, stream, payload: Buffer.from(buffer.subarray(start, end)) });
  }
  onDataStart(stream: number, flags: number): void {
    this.#current = { type: frameType.data, flags, stream };
  }
  onData(buffer: Buffer, start: number, end: number): void {
    this.#data.push(Buffer.from(buffer.subarray(start, end)));
  }
  onDataEnd(): void {
    const payload = Buffer.concat(this.#data);
    this.#data = [];
    this.#take({ ...(this.#current as Omit<Received, "payload">), payload });
  }
  onUnknownFrame(type: number): void {
    throw new Error(`the server sent a frame of type ${type}`);
  }
  onFrameTooLarge(): void {
    throw new Error("the server sent a frame of more than 16 MiB");
  }
  onPaddingTooLong(): void {
    throw new Error("the server sent too much padding");
  }

  #take(received: Received): void {
    this.frames.push(received);
    const { type, flags, stream, payload } = received;
    if (type === frameType.settings) this.#takeSettings(flags, payload);
    else if (type === frameType.ping && flags === 0) this.send(frame(frameType.ping, frameFlag.ack, 0, payload));
    else if (type === frameType.rstStream) this.stream(stream).resetWith = readUint32(payload, 0);
    else if (type === frameType.headers || type === frameType.continuation) this.#takeHead(received);
    else if (type === frameType.data) {
      this.stream(stream).data.push(payload);
      if ((flags & frameFlag.endStream) !== 0) this.stream(stream).ended = true;
    }
  }

  #takeSettings(flags: number, payload: Buffer): void {
    if ((flags & frameFlag.ack) !== 0) {
      this.#decoder.settingsAcknowledged();
      return;
    }
    for (let at = 0; at < payload.length; at += 6) this.announced.set(payload.readUInt16BE(at), readUint32(payload, at + 2));
    if (this.#acknowledge) this.send(frame(frameType.settings, frameFlag.ack, 0));
  }

  #takeHead({ type, flags, stream, payload }: Received): void {
    if (type === frameType.headers) this.#blockEnds = (flags & frameFlag.endStream) !== 0;
    this.#block = Buffer.concat([this.#block, payload]);
    if ((flags & frameFlag.endHeaders) === 0) return;
    const fields: (readonly [string, string])[] = [];
    this.#decoder.decode(this.#block, 0, this.#block.length, { onField: (name, value) => void fields.push([name, value]) });
    this.#block = Buffer.alloc(0);
    this.stream(stream).heads.push(fields);
    if (this.#blockEnds) this.stream(stream).ended = true;
  }
}

const names = new Map<number, string>(Object.entries(errorCode).map(([name, code]) => [code, name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, "_").replace("http11", "HTTP_1_1_").toUpperCase()]));

function nameOf(code: number): string {
  return names.get(code) ?? `code ${code}`;
}
