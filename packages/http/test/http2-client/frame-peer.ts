import { once } from "node:events";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { until } from "../contract/recorders.ts";

export const frameType = { data: 0, headers: 1, rstStream: 3, settings: 4, ping: 6, goaway: 7, windowUpdate: 8 } as const;

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/** One connection of frames, written by hand. Header sections are not decoded. */
export class FrameConnection {
  readonly socket: Socket;
  readonly frames: Frame[] = [];
  #buffer = Buffer.alloc(0);
  #greeted = false;

  readonly #speaks: boolean;

  constructor(socket: Socket, speaks: boolean) {
    this.socket = socket;
    this.#speaks = speaks;
    socket.on("error", () => undefined);
    socket.on("data", (bytes: Buffer) => {
      this.#buffer = Buffer.concat([this.#buffer, bytes]);
      this.#parse();
    });
  }

  /** Requests that were begun, by their stream. */
  get requests(): readonly number[] {
    return this.frames.filter((frame) => frame.type === frameType.headers).map((frame) => frame.stream);
  }

  /** Waits until `count` requests have begun here. */
  async begun(count: number): Promise<void> {
    await until(() => this.requests.length >= count);
  }

  async frame(type: number, stream?: number): Promise<Frame> {
    const find = (): Frame | undefined => this.frames.find((frame) => frame.type === type && (stream === undefined || frame.stream === stream));
    await until(() => find() !== undefined);
    return find() as Frame;
  }

  write(type: number, flags: number, stream: number, payload: Uint8Array = Buffer.alloc(0)): void {
    const head = Buffer.alloc(9);
    head.writeUIntBE(payload.length, 0, 3);
    head[3] = type;
    head[4] = flags;
    head.writeUInt32BE(stream, 5);
    this.socket.write(Buffer.concat([head, payload]));
  }

  settings(values: readonly (readonly [id: number, value: number])[]): void {
    const payload = Buffer.alloc(values.length * 6);
    for (const [i, [id, value]] of values.entries()) {
      payload.writeUInt16BE(id, i * 6);
      payload.writeUInt32BE(value, i * 6 + 2);
    }
    this.write(frameType.settings, 0, 0, payload);
  }

  /** A head with status 200, END_STREAM with `end`. */
  head(stream: number, end = false): void {
    this.write(frameType.headers, end ? 5 : 4, stream, Buffer.from([0x88]));
  }

  data(stream: number, text: string, end = false): void {
    this.write(frameType.data, end ? 1 : 0, stream, Buffer.from(text));
  }

  reset(stream: number, code: number): void {
    this.write(frameType.rstStream, 0, stream, number(code));
  }

  goaway(last: number, code = 0): void {
    this.write(frameType.goaway, 0, 0, Buffer.concat([number(last), number(code)]));
  }

  #parse(): void {
    if (!this.#greeted) {
      if (this.#buffer.length < preface.length) return;
      this.#buffer = this.#buffer.subarray(preface.length);
      this.#greeted = true;
    }
    while (this.#buffer.length >= 9) {
      const length = this.#buffer.readUIntBE(0, 3);
      if (this.#buffer.length < 9 + length) return;
      const [type = 0, flags = 0] = this.#buffer.subarray(3, 5);
      const frame = { type, flags, stream: this.#buffer.readUInt32BE(5) & 0x7fffffff, payload: Buffer.from(this.#buffer.subarray(9, 9 + length)) };
      this.#buffer = this.#buffer.subarray(9 + length);
      this.frames.push(frame);
      if (frame.type === frameType.settings && (frame.flags & 1) === 0 && this.#speaks) this.write(frameType.settings, 1, 0);
    }
  }
}

/** A destination of frames. With `settings` it greets with those at once; without it says nothing by itself. */
export class FramePeer {
  readonly connections: FrameConnection[] = [];
  readonly #server: Server;
  #next = 0;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(settings?: readonly (readonly [id: number, value: number])[]): Promise<FramePeer> {
    const server = createServer({ noDelay: true });
    const peer = new FramePeer(server);
    server.on("connection", (socket) => {
      const connection = new FrameConnection(socket, settings !== undefined);
      peer.connections.push(connection);
      if (settings !== undefined) connection.settings(settings);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return peer;
  }

  get origin(): { readonly scheme: "http"; readonly host: string; readonly port: number } {
    return { scheme: "http", host: "127.0.0.1", port: (this.#server.address() as AddressInfo).port };
  }

  get open(): number {
    return this.connections.filter(({ socket }) => !socket.destroyed).length;
  }

  async accept(): Promise<FrameConnection> {
    const index = this.#next++;
    await until(() => this.connections.length > index);
    return this.connections[index] as FrameConnection;
  }

  async close(): Promise<void> {
    for (const { socket } of this.connections) socket.destroy();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
