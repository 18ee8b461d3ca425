import { BoundedBody, bodyTooLarge } from "../../bounded-body.ts";
import { BadRequestError } from "../../errors.ts";
import type { ChunkedDecoder } from "../chunked-decoder.ts";
import { deliverCopy, GatheredChunks } from "../chunk-memory.ts";
import type { InputBuffer } from "./input-buffer.ts";

/** What a body asks of the connection that it comes from. */
export interface BodyOwner {
  /** The body can take bytes (again): `consume` will be called. */
  bodyWanted(): void;
  /** The body takes no bytes for now. */
  bodyPaused(): void;
  /** `read` was called; a client that waits for 100 may be told to send. */
  bodyStarted(): void;
}

/**
 * The body of one request: takes the framing off the connection's input and pushes the bytes to its reader. It
 * never reads ahead; when nobody wants it, its bytes are dropped up to a bound.
 */
export class RequestBody extends BoundedBody {
  /** Bytes of the message that came and were used, framing included: for the data rate. */
  received = 0;
  /** The end of the body was seen: what follows on the connection is the next request. */
  finished = false;
  /** Nobody wants the bytes. */
  dropping = false;
  /** Bytes dropped since then. */
  dropped = 0;

  readonly #owner: BodyOwner;
  readonly #decoder: ChunkedDecoder | undefined;
  #remaining: number;

  constructor(owner: BodyOwner, length: number | undefined, decoder: ChunkedDecoder | undefined, maximum: number | undefined) {
    super(length, maximum);
    this.#owner = owner;
    this.#decoder = decoder;
    this.#remaining = length ?? 0;
    this.finished = length === 0;
  }

  /** Bytes that are still to come, when the length is known. */
  get remaining(): number | undefined {
    return this.length === undefined ? undefined : this.#remaining;
  }

  /** Whether `consume` would use bytes. */
  get ready(): boolean {
    return !this.finished && (this.dropping || (this.wanted && !this.paused));
  }

  /** Uses what it can of `input` and stops when it is held back. Returns a fault of the framing, or undefined. */
  consume(input: InputBuffer): BadRequestError | undefined {
    return this.#decoder === undefined ? this.#consumeLength(input) : this.#consumeChunked(input, this.#decoder);
  }

  protected override begin(): void {
    if (this.finished) {
      this.end(undefined);
      return;
    }
    this.#owner.bodyStarted();
    if (!this.paused) this.#owner.bodyWanted();
  }

  protected override hold(): void {
    if (!this.finished) this.#owner.bodyPaused();
  }

  protected override go(): void {
    if (this.wanted) this.#owner.bodyWanted();
  }

  protected override release(): void {
    if (this.finished || this.failed) return;
    this.dropping = true;
    this.#owner.bodyWanted();
  }

  #consumeLength(input: InputBuffer): undefined {
    const { bytes, start, end } = input;
    const taken = Math.min(end - start, this.#remaining);
    if (taken === 0) return;
    input.use(start + taken);
    this.received += taken;
    this.#remaining -= taken;
    if (this.#remaining === 0) this.finished = true;
    const { sink } = this;
    if (sink === undefined) this.dropped += taken;
    else if (input.lasting) sink.onData(taken === bytes.length ? bytes : bytes.subarray(start, start + taken));
    else deliverCopy(sink, bytes, start, start + taken);
    if (this.finished) this.end(undefined);
  }

  /** Chunks that came together are delivered together: a client must not buy calls with small ones. */
  #consumeChunked(input: InputBuffer, decoder: ChunkedDecoder): BadRequestError | undefined {
    const gathered = new GatheredChunks(input.lasting);
    let fault: BadRequestError | undefined;
    let ended = false;
    while (input.length > 0 && !ended && fault === undefined) {
      const { bytes, start, end } = input;
      const event = decoder.next(bytes, start, end);
      this.received += decoder.position - start;
      input.use(decoder.position);
      if (event === "data") {
        if (!this.dropping && this.exceeds(decoder.dataEnd - decoder.dataStart)) fault = bodyTooLarge();
        else gathered.add(bytes, decoder.dataStart, decoder.dataEnd, end - decoder.dataStart);
      } else if (event === "end") {
        ended = true;
      } else if (event === "malformed") {
        fault = new BadRequestError(400, "INVALID_CHUNK", decoder.fault);
      } else if (event === "trailers-too-large") {
        fault = new BadRequestError(431, "TRAILERS_TOO_LARGE", decoder.fault);
      } else if (event === "extensions-too-large") {
        fault = new BadRequestError(413, "CHUNK_EXTENSIONS_TOO_LARGE", decoder.fault);
      }
    }
    if (ended) this.finished = true;
    const chunk = gathered.take();
    if (chunk !== undefined) {
      const { sink } = this;
      if (sink === undefined) this.dropped += chunk.length;
      if (sink === undefined || sink.onData(chunk) === true) gathered.giveBack();
    }
    if (ended) this.end(decoder.trailers);
    return fault;
  }
}
