/**
 * An exchange whose answer is compressed where its head says that it can be.
 *
 * 1. The head: where the policy would compress it, Vary names Accept-Encoding; where it does, the coding is written, what counts bytes of the uncompressed
 *    content goes, and a strong ETag becomes weak, since it no longer says "the same bytes" (RFC 9110, 8.8.1).
 * 2. The body goes through the compressor. What it holds back leaves after `longestHeld`, of event streams at once: an event must not wait for the next one.
 * 3. The end, trailers with it, after the last byte. A cut, or a client that left, frees the compressor.
 */
import type { Exchange, HeaderList, ResponseHead, ResponseSink } from "@proxy/http";
import { WrappedExchange } from "@proxy/pipeline";
import { addVary } from "../exchange/vary.ts";
import { createCompressor, type CompressionPolicy, type Compressor } from "./compression-policy.ts";

/** Milliseconds. */
const longestHeld = 20;

export class CompressedExchange extends WrappedExchange {
  constructor(presented: Exchange, policy: CompressionPolicy, room: CompressorRoom) {
    super(presented, new CompressedSink(presented, policy, room));
  }
}

/** Answers that are compressed at a time; each takes up to some 1.3 MB, for as long as its client takes. */
const mostAtOnce = 500;

/** How many compressors there are. Clients that read slowly, over many streams, are not to fill the memory with them. */
export class CompressorRoom {
  readonly #most: number;
  #taken = 0;

  constructor(most = mostAtOnce) {
    this.#most = most;
  }

  get isFull(): boolean {
    return this.#taken >= this.#most;
  }

  /** Counts `compressor` until it is closed. */
  note(compressor: Compressor): void {
    this.#taken++;
    compressor.once("close", () => this.#taken--);
  }
}

/** What is said of bytes that are not those sent. */
const ofBytes: ReadonlySet<string> = new Set(["content-length", "accept-ranges", "content-md5", "content-digest", "digest", "repr-digest"]);

class CompressedSink implements ResponseSink {
  readonly #exchange: Exchange;
  readonly #sink: ResponseSink;
  readonly #policy: CompressionPolicy;
  readonly #room: CompressorRoom;
  #compressor: Compressor | undefined;
  #flushesAtOnce = false;
  #held: NodeJS.Timeout | undefined;
  #pending = 0;
  #ended = false;
  #trailers: HeaderList | undefined;
  #drain: (() => void) | undefined;

  constructor(exchange: Exchange, policy: CompressionPolicy, room: CompressorRoom) {
    this.#exchange = exchange;
    this.#sink = exchange.response;
    this.#policy = policy;
    this.#room = room;
  }

  get started(): boolean {
    return this.#sink.started;
  }

  get status(): number | undefined {
    return this.#sink.status;
  }

  get ended(): boolean {
    return this.#ended || this.#sink.ended;
  }

  get trailersSupported(): boolean {
    return this.#sink.trailersSupported;
  }

  get pending(): number {
    return this.#pending + this.#sink.pending;
  }

  informational(status: number, headers: HeaderList): void {
    this.#sink.informational(status, headers);
  }

  send(head: ResponseHead, body?: Uint8Array | string): void {
    if (body === undefined || body.length === 0) {
      // What a GET would be told.
      this.#sink.send(this.#exchange.request.method === "HEAD" ? this.#begin(head) : head, body);
      return;
    }
    const bytes = typeof body === "string" ? Buffer.from(body) : body;
    const headers = head.headers.copy();
    if (!headers.has("content-length")) headers.append("Content-Length", String(bytes.length));
    const changed = this.#begin({ status: head.status, reason: head.reason, headers });
    if (this.#compressor === undefined) {
      this.#sink.send(changed, bytes);
      return;
    }
    this.#sink.start(changed);
    this.write(bytes);
    this.end();
  }

  start(head: ResponseHead): void {
    this.#sink.start(this.#begin(head));
  }

  write(chunk: Uint8Array): boolean {
    const compressor = this.#compressor;
    if (compressor === undefined) return this.#sink.write(chunk);
    if (this.ended) return true;
    const { length } = chunk;
    this.#pending += length;
    const goesOn = compressor.write(chunk, () => {
      this.#pending -= length;
    });
    if (this.#flushesAtOnce) compressor.flush();
    else this.#held ??= setTimeout(() => this.flush(), longestHeld);
    return goesOn;
  }

  onDrain(listener: () => void): void {
    if (this.#compressor === undefined) this.#sink.onDrain(listener);
    else this.#drain = listener;
  }

  flush(): void {
    clearTimeout(this.#held);
    this.#held = undefined;
    if (this.#compressor === undefined || this.#pending === 0) this.#sink.flush();
    if (!this.#ended) this.#compressor?.flush();
  }

  end(trailers?: HeaderList): void {
    clearTimeout(this.#held);
    if (this.#compressor === undefined) {
      this.#sink.end(trailers);
      return;
    }
    if (this.ended) return;
    this.#ended = true;
    this.#trailers = trailers;
    this.#compressor.end();
  }

  abort(cause: Error): void {
    this.#stop();
    this.#sink.abort(cause);
  }

  #begin(head: ResponseHead): ResponseHead {
    const { request } = this.#exchange;
    if (!this.#policy.varies(head)) return head;
    const headers = head.headers.copy();
    addVary(headers, ["Accept-Encoding"]);
    const changed = { status: head.status, reason: head.reason, headers };
    const coding = this.#policy.isWorth(headers) ? this.#policy.codingFor(request) : undefined;
    if (coding === undefined || (this.#room.isFull && request.method !== "HEAD")) return changed;
    headers.filter((key) => !ofBytes.has(key));
    headers.append("Content-Encoding", coding);
    const tag = headers.get("etag");
    if (tag?.startsWith('"') === true) headers.set("ETag", `W/${tag}`);
    // Its head is that of the answer to GET (RFC 9110, 9.3.2), which has no length.
    if (request.method === "HEAD") return changed;
    this.#flushesAtOnce = /^text\/event-stream\b/i.test(headers.get("content-type") ?? "");
    const compressor = createCompressor(coding);
    this.#room.note(compressor);
    this.#compress(compressor);
    return changed;
  }

  #compress(compressor: Compressor): void {
    const sink = this.#sink;
    this.#compressor = compressor;
    let isPaused = false;
    compressor.on("data", (chunk: Uint8Array) => {
      if (sink.ended || sink.write(chunk) || isPaused) return;
      isPaused = true;
      compressor.pause();
      sink.onDrain(() => {
        isPaused = false;
        compressor.resume();
      });
    });
    compressor.on("drain", () => {
      const listener = this.#drain;
      this.#drain = undefined;
      listener?.();
    });
    compressor.on("end", () => sink.end(this.#trailers));
    compressor.on("error", (error) => sink.abort(error));
    this.#exchange.onComplete(() => this.#stop());
  }

  #stop(): void {
    clearTimeout(this.#held);
    this.#held = undefined;
    this.#ended = true;
    this.#compressor?.destroy();
  }
}
