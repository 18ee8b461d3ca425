import { once } from "node:events";
import { connect, type Socket } from "node:net";

/**
 * A client of bytes over `node:net`, for tests of what really stands on the wire. It reads messages strictly and
 * repairs nothing: a message that breaks off rejects with `ConnectionCutError`.
 */

/** The connection ended before what was awaited had come. `received` is what had. */
export class ConnectionCutError extends Error {
  override readonly name = "ConnectionCutError";
  readonly received: string;
  constructor(message: string, received: string) {
    super(`${message}; received ${JSON.stringify(received.slice(0, 300))}`);
    this.received = received;
  }
}

export interface RawResponse {
  readonly status: number;
  readonly reason: string;
  readonly version: string;
  /** Lines as they came. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
  readonly framing: "none" | "length" | "chunked" | "close";
  readonly trailers: readonly (readonly [name: string, value: string])[];
  /** The value of the first line with this lower-case name. */
  header(name: string): string | undefined;
  /** How many lines have this lower-case name. */
  count(name: string): number;
}

export interface RawHead extends Omit<RawResponse, "body" | "framing" | "trailers"> {}

export class RawClient {
  readonly socket: Socket;
  #chunks: Buffer[] = [];
  #size = 0;
  #failure: Error | undefined;
  #finished = false;
  #wake: (() => void) | undefined;
  /** Settles when the connection is closed: "end" after a FIN, "reset" after an error such as ECONNRESET. */
  readonly closed: Promise<"end" | "reset">;
  /** Settles when the other side will send no more. */
  readonly ended: Promise<void>;

  private constructor(socket: Socket, halfOpen: boolean) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#size += chunk.length;
      this.#signal();
    });
    this.ended = new Promise((resolve) => {
      socket.on("end", () => {
        // libuv before 1.52 tells a reset that comes with the last bytes as an end: then writing fails, also of nothing.
        const finish = (error?: Error | null): void => {
          if (error != null) return;
          if (!halfOpen) socket.end();
          this.#finished = true;
          this.#signal();
          resolve();
        };
        if (socket.writableEnded) finish();
        else socket.write(new Uint8Array(0), finish);
      });
      socket.on("close", () => resolve());
    });
    socket.on("error", (error) => {
      this.#failure = error;
      this.#signal();
    });
    this.closed = new Promise((resolve) => {
      socket.on("close", () => {
        this.#finished = true;
        this.#signal();
        resolve(this.#failure === undefined ? "end" : "reset");
      });
    });
  }

  /**
   * Connects to a port of the loopback address. After the other side's FIN it ends its own side too, unless it is to stay
   * half-open.
   */
  static async open(port: number, options: { readonly halfOpen?: boolean | undefined } = {}): Promise<RawClient> {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    const client = new RawClient(socket, options.halfOpen ?? false);
    await once(socket, "connect");
    socket.setNoDelay(true);
    return client;
  }

  /** Wraps a socket that is connected already. */
  static over(socket: Socket): RawClient {
    return new RawClient(socket, socket.allowHalfOpen);
  }

  /** Sends bytes; a string is latin1. */
  write(data: string | Uint8Array): void {
    if (typeof data === "string") this.socket.write(data, "latin1");
    else this.socket.write(data);
  }

  /** Sends bytes and resolves when the system took them. */
  async sent(data: string | Uint8Array): Promise<void> {
    await new Promise<void>((resolve) => {
      this.socket.write(typeof data === "string" ? Buffer.from(data, "latin1") : data, () => resolve());
    });
  }

  /** Half-closes: no more requests, answers are still read. */
  end(): void {
    this.socket.end();
  }

  /** Leaves with a TCP reset. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  /** Leaves: a plain close, which the other side sees as a FIN. */
  destroy(): void {
    this.socket.destroy();
  }

  /** Bytes that came and were not yet consumed, as latin1. */
  get pending(): string {
    return this.#all().toString("latin1");
  }

  get pendingSize(): number {
    return this.#size;
  }

  /** Consumes all up to and including `mark`. */
  async readUntil(mark: string): Promise<string> {
    const index = await this.#find(mark);
    return this.#take(index + mark.length).toString("latin1");
  }

  async readBytes(count: number): Promise<Buffer> {
    while (this.#size < count) await this.#more(`wanted ${count} bytes`);
    return this.#take(count);
  }

  /** Consumes everything up to the FIN; rejects after a reset. */
  async readToEnd(): Promise<Buffer> {
    while (!this.#finished && this.#failure === undefined) await this.#next();
    if (this.#failure !== undefined) throw new ConnectionCutError(this.#failure.message, this.pending);
    return this.#take(this.#size);
  }

  /** Reads one response head, interim ones (1xx) included, and nothing after it. */
  async readHead(): Promise<RawHead> {
    return parseHead(await this.readUntil("\r\n\r\n"));
  }

  /** Reads one response, interim ones included; `method` is that of its request. */
  async readResponse(method = "GET"): Promise<RawResponse> {
    const head = await this.readHead();
    const encoding = head.header("transfer-encoding");
    const length = head.header("content-length");
    if (method === "HEAD" || head.status < 200 || head.status === 204 || head.status === 304) {
      return { ...head, body: Buffer.alloc(0), framing: "none", trailers: [] };
    }
    if (encoding !== undefined) {
      if (encoding.toLowerCase() !== "chunked" || length !== undefined) throw new Error(`bad framing: ${encoding} ${length}`);
      const { body, trailers } = await this.#readChunked();
      return { ...head, body, framing: "chunked", trailers };
    }
    if (length !== undefined) {
      if (!/^\d+$/.test(length) || head.count("content-length") !== 1) throw new Error(`bad content-length ${length}`);
      return { ...head, body: await this.readBytes(Number(length)), framing: "length", trailers: [] };
    }
    return { ...head, body: await this.readToEnd(), framing: "close", trailers: [] };
  }

  /** Reads responses until a final one, which it gives together with the statuses of the interim ones. */
  async readFinal(method = "GET"): Promise<RawResponse & { readonly interim: readonly number[] }> {
    const interim: number[] = [];
    for (;;) {
      const response = await this.readResponse(method);
      if (response.status >= 200 || response.status === 101) return { ...response, interim };
      interim.push(response.status);
    }
  }

  async #readChunked(): Promise<{ body: Buffer; trailers: RawHead["headers"] }> {
    const parts: Buffer[] = [];
    for (;;) {
      const line = (await this.readUntil("\r\n")).slice(0, -2);
      if (!/^[0-9a-fA-F]+$/.test(line)) throw new Error(`bad chunk size ${JSON.stringify(line)}`);
      const size = Number.parseInt(line, 16);
      if (size === 0) break;
      parts.push(await this.readBytes(size));
      if ((await this.readBytes(2)).toString("latin1") !== "\r\n") throw new Error("chunk without its end");
    }
    const trailers: (readonly [string, string])[] = [];
    for (;;) {
      const line = (await this.readUntil("\r\n")).slice(0, -2);
      if (line === "") return { body: Buffer.concat(parts), trailers };
      trailers.push(parseLine(line));
    }
  }

  async #find(mark: string): Promise<number> {
    for (;;) {
      const index = this.#all().indexOf(mark, 0, "latin1");
      if (index >= 0) return index;
      await this.#more(`waited for ${JSON.stringify(mark)}`);
    }
  }

  async #more(what: string): Promise<void> {
    if (this.#failure !== undefined) throw new ConnectionCutError(`${what}: ${this.#failure.message}`, this.pending);
    if (this.#finished) throw new ConnectionCutError(`${what}: the connection ended`, this.pending);
    await this.#next();
  }

  #next(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #signal(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  #all(): Buffer {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] ?? Buffer.alloc(0);
  }

  #take(count: number): Buffer {
    const all = this.#all();
    this.#chunks = count < all.length ? [all.subarray(count)] : [];
    this.#size -= count;
    return all.subarray(0, count);
  }
}

/** Reads a head, request or response, up to and including its empty line. Throws when it is not strict HTTP/1. */
function parseHead(text: string): RawHead {
  const lines = text.slice(0, -4).split("\r\n");
  const match = /^HTTP\/(1\.[01]) (\d{3}) ([^\r\n]*)$/.exec(lines[0] as string);
  if (match === null) throw new Error(`no status line: ${JSON.stringify(lines[0])}`);
  const headers = lines.slice(1).map(parseLine);
  const named = (name: string): (readonly [string, string])[] => headers.filter(([key]) => key.toLowerCase() === name);
  return {
    version: match[1] as string,
    status: Number(match[2]),
    reason: match[3] as string,
    headers,
    header: (name) => named(name)[0]?.[1],
    count: (name) => named(name).length,
  };
}

function parseLine(line: string): readonly [string, string] {
  const colon = line.indexOf(":");
  if (colon <= 0 || /[\r\n\0]/.test(line)) throw new Error(`no field line: ${JSON.stringify(line)}`);
  return [line.slice(0, colon), line.slice(colon + 1).trim()];
}
