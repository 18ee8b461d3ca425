import type { Duplex } from "node:stream";
import { frame } from "./frames.ts";

export interface Message {
  readonly opcode: number;
  readonly payload: Buffer;
}

const keys = Uint8Array.of(9, 8, 7, 6);

/** One side of a WebSocket over any stream: what `ws` cannot do over HTTP/2. Whole messages in single frames only. */
export class WebSocketPeer {
  readonly stream: Duplex;
  readonly #masks: boolean;
  readonly #messages: Message[] = [];
  readonly #waiting: ((message: Message | undefined) => void)[] = [];
  #bytes: Buffer = Buffer.alloc(0);
  #ended = false;

  constructor(stream: Duplex, side: "client" | "server") {
    this.stream = stream;
    this.#masks = side === "client";
    stream.on("data", (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      for (let message = this.#take(); message !== undefined; message = this.#take()) {
        const waiting = this.#waiting.shift();
        if (waiting === undefined) this.#messages.push(message);
        else waiting(message);
      }
    });
    const end = (): void => {
      this.#ended = true;
      for (const waiting of this.#waiting.splice(0)) waiting(undefined);
    };
    stream.on("end", end);
    stream.on("close", end);
    stream.on("error", () => undefined);
  }

  send(opcode: number, payload: Uint8Array): void {
    this.stream.write(frame({ opcode, fin: true, payload, mask: this.#masks ? keys : undefined }));
  }

  close(code: number, reason = ""): void {
    this.send(8, Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason)]));
  }

  /** The next message, control frames included; undefined when the other side is gone. */
  receive(): Promise<Message | undefined> {
    const message = this.#messages.shift();
    if (message !== undefined || this.#ended) return Promise.resolve(message);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Echoes messages and answers a Close, until there is nothing more. */
  async echo(): Promise<void> {
    for (let message = await this.receive(); message !== undefined; message = await this.receive()) {
      this.send(message.opcode, message.payload);
      if (message.opcode !== 8) continue;
      this.stream.end();
      return;
    }
  }

  #take(): Message | undefined {
    const bytes = this.#bytes;
    if (bytes.length < 2) return undefined;
    let at = 2;
    let length = (bytes[1] as number) & 0x7f;
    if (length === 126) {
      if (bytes.length < 4) return undefined;
      length = bytes.readUInt16BE(2);
      at = 4;
    } else if (length === 127) {
      if (bytes.length < 10) return undefined;
      length = Number(bytes.readBigUInt64BE(2));
      at = 10;
    }
    const mask = ((bytes[1] as number) & 0x80) === 0 ? undefined : bytes.subarray(at, at + 4);
    if (mask !== undefined) at += 4;
    if (bytes.length < at + length) return undefined;
    const payload = Buffer.from(bytes.subarray(at, at + length));
    if (mask !== undefined) for (let i = 0; i < length; i++) payload[i] = (payload[i] as number) ^ (mask[i % 4] as number);
    this.#bytes = bytes.subarray(at + length);
    return { opcode: (bytes[0] as number) & 0x0f, payload };
  }
}
