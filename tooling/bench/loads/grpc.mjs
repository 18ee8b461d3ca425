/**
 * Unary gRPC calls over HTTP/2 in cleartext: each stream sends one message, waits for the whole reply, and the next one begins.
 * Only a reply with a status of 200, one message and `grpc-status: 0` in its trailers counts as a request; all others are errors.
 * Frames are cut and field blocks read by the code of `@proxy/http`: Node's client would take more of its core than the
 * destination beside it.
 */
import net from "node:net";
import { FrameReader } from "../../../packages/http/src/engine/http2/frame-reader.ts";
import { clientPreface, frameFlag, frameType, settingId, writeFrameHeader } from "../../../packages/http/src/engine/http2/frames.ts";
import { HpackDecoder } from "../../../packages/http/src/engine/http2/hpack/hpack-decoder.ts";
import { HpackEncoder } from "../../../packages/http/src/engine/http2/hpack/hpack-encoder.ts";
import { report } from "./report.mjs";

const [port, seconds, connections] = process.argv.slice(2, 5).map(Number);
const { path, headers, streams, bodyBytes } = JSON.parse(process.argv[5]);
const fields = Object.entries({ ":method": "POST", ":scheme": "http", ":path": path, ":authority": `127.0.0.1:${port}`, ...headers });
/** Not compressed, and its length. */
const message = Buffer.alloc(bodyBytes, "x");
message.writeUInt8(0, 0);
message.writeUInt32BE(bodyBytes - 5, 1);

const latencies = [];
let errors = 0;
let counting = false;

function frame(type, flags, stream, payload) {
  const bytes = Buffer.alloc(9 + payload.length);
  writeFrameHeader(bytes, 0, payload.length, type, flags, stream);
  bytes.set(payload, 9);
  return bytes;
}

const numbers = (...values) => {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [i, value] of values.entries()) bytes.writeUInt32BE(value, i * 4);
  return bytes;
};

class Connection {
  #socket;
  #reader = new FrameReader(this, 16_384);
  #decoder = new HpackDecoder({ maxTableSize: 4096, maxHeaderListSize: 65_536 });
  #encoder = new HpackEncoder();
  #next = 1;
  #calls = new Map();
  #block = Buffer.alloc(0);
  #ends = false;
  #current = undefined;
  /** What the peer allows on the connection: a call needs little, and the peer may be late to say so. */
  #window = 65_535;
  #waiting = 0;

  constructor(socket) {
    this.#socket = socket;
    socket.on("data", (chunk) => {
      socket.cork();
      this.#reader.read(chunk, 0, chunk.length);
      socket.uncork();
    });
    socket.on("error", () => {});
    socket.on("close", () => (errors += counting ? 1 : 0));
    // No reply waits for a window of ours; and nothing is pushed.
    const settings = Buffer.alloc(6);
    settings.writeUInt16BE(settingId.enablePush, 0);
    const widened = frame(frameType.windowUpdate, 0, 0, numbers(0x7fff_ffff - 65_535));
    socket.write(Buffer.concat([clientPreface, frame(frameType.settings, 0, 0, settings), widened]));
  }

  call() {
    if (this.#window < message.length) {
      this.#waiting++;
      return;
    }
    this.#window -= message.length;
    const stream = this.#next;
    this.#next += 2;
    this.#calls.set(stream, { started: performance.now(), status: "", grpcStatus: "", bytes: 0 });
    const block = Buffer.alloc(1024);
    let end = this.#encoder.beginBlock(block, 0);
    for (const [name, value] of fields) end = this.#encoder.writeField(name, value, block, end);
    this.#socket.write(frame(frameType.headers, frameFlag.endHeaders, stream, block.subarray(0, end)));
    this.#socket.write(frame(frameType.data, frameFlag.endStream, stream, message));
  }

  destroy() {
    this.#socket.destroy();
  }

  onFrame(type, flags, stream, buffer, start, end) {
    if (type === frameType.headers || type === frameType.continuation) {
      if (type === frameType.headers) this.#ends = (flags & frameFlag.endStream) !== 0;
      if (type === frameType.headers && (flags & (frameFlag.padded | frameFlag.priority)) !== 0) throw new Error("padding and priorities are not known here");
      this.#block = Buffer.concat([this.#block, buffer.subarray(start, end)]);
      if ((flags & frameFlag.endHeaders) !== 0) this.#fields(stream);
    } else if (type === frameType.settings && (flags & frameFlag.ack) === 0) {
      for (let at = start; at < end; at += 6) {
        if (buffer.readUInt16BE(at) === settingId.headerTableSize) this.#encoder.setMaxTableSize(buffer.readUInt32BE(at + 2));
      }
      this.#socket.write(frame(frameType.settings, frameFlag.ack, 0, Buffer.alloc(0)));
    } else if (type === frameType.ping && (flags & frameFlag.ack) === 0) {
      this.#socket.write(frame(frameType.ping, frameFlag.ack, 0, buffer.subarray(start, end)));
    } else if (type === frameType.windowUpdate && stream === 0) {
      this.#window += buffer.readUInt32BE(start);
      for (; this.#waiting > 0 && this.#window >= message.length; this.#waiting--) this.call();
    } else if (type === frameType.rstStream) {
      this.#over(stream, false);
    } else if (type === frameType.goaway) {
      throw new Error(`GOAWAY with code ${buffer.readUInt32BE(start + 4)}`);
    }
  }

  onDataStart(stream, flags) {
    this.#current = { stream, ends: (flags & frameFlag.endStream) !== 0 };
  }

  onData(_buffer, start, end) {
    const call = this.#calls.get(this.#current.stream);
    if (call !== undefined) call.bytes += end - start;
  }

  onDataEnd() {
    // A reply without trailers has no status.
    if (this.#current.ends) this.#over(this.#current.stream, false);
  }

  onUnknownFrame() {}

  onFrameTooLarge() {
    throw new Error("a frame is larger than allowed");
  }

  onPaddingTooLong() {
    throw new Error("a frame has too much padding");
  }

  #fields(stream) {
    const call = this.#calls.get(stream);
    this.#decoder.decode(this.#block, 0, this.#block.length, {
      onField(name, value) {
        if (call === undefined) return;
        if (name === ":status") call.status = value;
        else if (name === "grpc-status") call.grpcStatus = value;
      },
    });
    this.#block = Buffer.alloc(0);
    if (this.#ends) this.#over(stream, call?.status === "200" && call.grpcStatus === "0" && call.bytes === message.length);
  }

  #over(stream, right) {
    const call = this.#calls.get(stream);
    if (!this.#calls.delete(stream)) return;
    if (counting && right) latencies.push(performance.now() - call.started);
    else if (counting) errors++;
    if (counting) this.call();
  }
}

function open() {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ port, host: "127.0.0.1", noDelay: true });
    socket.once("error", reject);
    socket.once("connect", () => resolve(new Connection(socket)));
  });
}

const all = await Promise.all(Array.from({ length: connections }, open));
const since = performance.now();
counting = true;
for (const connection of all) for (let i = 0; i < streams; i++) connection.call();
setTimeout(() => {
  counting = false;
  report(latencies, performance.now() - since, errors);
  for (const connection of all) connection.destroy();
}, seconds * 1000);
