/**
 * HTTP/1.1 on this side and HTTP/2 on the wire: a socket for the suite of the exchange contract, which speaks in bytes of
 * HTTP/1.1. It translates message by message, in the order of the requests, and repairs nothing.
 */
import { STATUS_CODES } from "node:http";
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants, type IncomingHttpHeaders } from "node:http2";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";

type Reading = "head" | "length" | "chunk-size" | "chunk" | "chunk-end" | "trailers" | "answer" | "tunnel";

const ownFields = new Set(["host", "connection", "upgrade", "transfer-encoding", "keep-alive", "content-length"]);

export class Http1OverHttp2 extends Duplex {
  readonly #session: ClientHttp2Session;
  readonly #socket: Socket;
  #input: Buffer = Buffer.alloc(0);
  #reading: Reading = "head";
  #left = 0;
  #trailers: Record<string, string[]> = {};
  #stream: ClientHttp2Stream | undefined;
  #chunked = false;
  #closing = false;
  #written: ((error?: Error | null) => void) | undefined;

  private constructor(session: ClientHttp2Session) {
    super({ allowHalfOpen: true });
    this.#session = session;
    this.#socket = session.socket as Socket;
    session.on("error", () => undefined);
    session.on("close", () => {
      if (this.#stream === undefined && !this.destroyed) this.push(null);
    });
  }

  static async open(port: number): Promise<Http1OverHttp2> {
    const session = connect(`http://127.0.0.1:${port}`);
    await new Promise((resolve, reject) => session.once("remoteSettings", resolve).once("error", reject).once("close", resolve));
    return new Http1OverHttp2(session);
  }

  get localPort(): number | undefined {
    return this.#socket.localPort;
  }

  setNoDelay(): this {
    return this;
  }

  resetAndDestroy(): void {
    this.#stream?.close(constants.NGHTTP2_CANCEL);
    this.#session.destroy();
    this.destroy();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#input = Buffer.concat([this.#input, chunk]);
    this.#written = done;
    this.#pump();
  }

  override _final(done: (error?: Error | null) => void): void {
    if (this.#reading === "tunnel") this.#stream?.end();
    else if (this.#stream === undefined) this.#session.close();
    // In the middle of a message a FIN is the end of it for HTTP/1.1, and so is a reset for HTTP/2.
    else if (this.#reading !== "answer") this.#stream.close(constants.NGHTTP2_CANCEL);
    else this.#closing = true;
    done();
  }

  override _read(): void {
    this.#stream?.resume();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#stream?.close(constants.NGHTTP2_CANCEL);
    this.#session.destroy();
    done(error);
  }

  #pump(): void {
    for (;;) {
      const before = this.#input.length;
      const reading = this.#reading;
      if (!this.#step()) return;
      if (before === this.#input.length && reading === this.#reading) break;
    }
    const done = this.#written;
    this.#written = undefined;
    done?.();
  }

  /** False: the stream takes no more for now. */
  #step(): boolean {
    const stream = this.#stream;
    switch (this.#reading) {
      case "head": {
        const end = this.#input.indexOf("\r\n\r\n");
        if (end < 0) return true;
        const head = this.#take(end + 4).toString("latin1");
        // A connection that goes away takes no further request: over HTTP/1.1 it would go unread.
        if (!this.#session.closed) this.#begin(head);
        else this.#input = Buffer.alloc(0);
        return true;
      }
      case "length":
      case "chunk": {
        if (this.#input.length === 0) return true;
        const bytes = this.#take(Math.min(this.#left, this.#input.length));
        this.#left -= bytes.length;
        const over = this.#left === 0;
        if (over) this.#reading = this.#reading === "length" ? "answer" : "chunk-end";
        const room = this.#send(bytes);
        if (over && this.#reading === "answer") stream?.end();
        return room;
      }
      case "chunk-size": {
        const line = this.#line();
        if (line === undefined) return true;
        this.#left = Number.parseInt(line, 16);
        this.#reading = this.#left === 0 ? "trailers" : "chunk";
        return true;
      }
      case "chunk-end":
        if (this.#input.length >= 2) {
          this.#take(2);
          this.#reading = "chunk-size";
        }
        return true;
      case "trailers": {
        const line = this.#line();
        if (line === undefined) return true;
        if (line === "") {
          this.#reading = "answer";
          stream?.end();
        } else {
          const colon = line.indexOf(":");
          (this.#trailers[line.slice(0, colon).toLowerCase()] ??= []).push(line.slice(colon + 1).trim());
        }
        return true;
      }
      case "tunnel": {
        if (this.#input.length === 0) return true;
        return this.#send(this.#take(this.#input.length));
      }
      default:
        return true;
    }
  }

  #send(bytes: Buffer): boolean {
    const stream = this.#stream;
    if (stream === undefined || stream.destroyed || stream.closed || stream.write(bytes)) return true;
    stream.once("drain", () => this.#pump());
    return false;
  }

  #begin(head: string): void {
    const [first = "", ...lines] = head.split("\r\n").slice(0, -2);
    const [method = "", target = ""] = first.split(" ");
    const fields = lines.map((line): [string, string] => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    });
    const named = (name: string): string | undefined => fields.find(([key]) => key === name)?.[1];
    const upgrade = /\bupgrade\b/iu.test(named("connection") ?? "") ? named("upgrade") : undefined;
    const length = named("content-length");
    this.#chunked = named("transfer-encoding") !== undefined;
    this.#closing ||= /\bclose\b/iu.test(named("connection") ?? "");
    this.#trailers = {};
    const raw = [":method", upgrade === undefined ? method : "CONNECT", ":scheme", "http", ":authority", named("host") ?? "", ":path", target];
    if (upgrade !== undefined) raw.push(":protocol", upgrade);
    for (const [name, value] of fields) if (!ownFields.has(name)) raw.push(name, value);
    if (length !== undefined) raw.push("content-length", length);
    const body = this.#chunked || length !== undefined;
    const endStream = !body && upgrade === undefined;
    const stream = this.#session.request(raw, { endStream, waitForTrailers: this.#chunked });
    this.#stream = stream;
    this.#left = Number(length ?? 0);
    if (upgrade !== undefined) this.#reading = "answer";
    else if (this.#chunked) this.#reading = "chunk-size";
    else if (this.#left > 0) this.#reading = "length";
    else this.#reading = "answer";
    if (length === "0") stream.end();
    stream.on("wantTrailers", () => stream.sendTrailers(this.#trailers));
    this.#listen(stream, method, upgrade);
  }

  #listen(stream: ClientHttp2Stream, method: string, upgrade: string | undefined): void {
    let chunked = false;
    let answered = false;
    let trailers: readonly string[] = [];
    stream.on("error", () => undefined);
    stream.on("headers", (fields: IncomingHttpHeaders, _flags: number, raw: readonly string[]) => this.#pushHead(Number(fields[":status"]), raw, ""));
    stream.on("response", (fields: IncomingHttpHeaders, flags: number, raw: readonly string[]) => {
      const status = Number(fields[":status"]);
      answered = true;
      if (upgrade !== undefined && status >= 200 && status < 300) {
        this.#reading = "tunnel";
        this.#pushHead(101, raw, `connection: upgrade\r\nupgrade: ${upgrade}\r\n`);
        this.#pump();
        return;
      }
      const bodiless = method === "HEAD" || status === 204 || status === 304;
      const framed = fields["content-length"] !== undefined || bodiless;
      chunked = !framed && (flags & constants.NGHTTP2_FLAG_END_STREAM) === 0;
      this.#pushHead(status, raw, framed ? "" : chunked ? "transfer-encoding: chunked\r\n" : "content-length: 0\r\n");
    });
    stream.on("data", (chunk: Buffer) => {
      if (chunked) this.push(`${chunk.length.toString(16)}\r\n`, "latin1");
      const room = this.push(chunk);
      if (chunked) this.push("\r\n", "latin1");
      if (!room) stream.pause();
    });
    stream.on("trailers", (_fields: unknown, _flags: number, raw: readonly string[]) => (trailers = raw));
    stream.on("end", () => {
      if (stream.rstCode !== 0 || this.destroyed) return;
      if (this.#reading === "tunnel") this.push(null);
      else if (answered && chunked) this.push(`0\r\n${linesOf(trailers)}\r\n`, "latin1");
    });
    stream.on("close", () => {
      this.#stream = undefined;
      if (this.destroyed) return;
      if (stream.rstCode !== 0 || !answered) {
        this.destroy(Object.assign(new Error("reset"), { code: "ECONNRESET" }));
        return;
      }
      if (this.#reading === "tunnel") return;
      const whole = this.#reading === "answer";
      this.#reading = "head";
      if (this.#closing || !whole || this.#session.closed) {
        this.#session.close();
        this.push(null);
      } else this.#pump();
    });
  }

  #pushHead(status: number, raw: readonly string[], framing: string): void {
    this.push(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n${linesOf(raw)}${framing}\r\n`, "latin1");
  }

  #line(): string | undefined {
    const end = this.#input.indexOf("\r\n");
    return end < 0 ? undefined : this.#take(end + 2).toString("latin1", 0, end);
  }

  #take(count: number): Buffer {
    const bytes = this.#input.subarray(0, count);
    this.#input = this.#input.subarray(count);
    return bytes;
  }
}

function linesOf(raw: readonly string[]): string {
  let lines = "";
  for (let i = 0; i + 1 < raw.length; i += 2) if (!raw[i]?.startsWith(":")) lines += `${raw[i]}: ${raw[i + 1]}\r\n`;
  return lines;
}
