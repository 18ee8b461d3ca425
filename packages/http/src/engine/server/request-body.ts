import type { BodySink, BodySource } from "../../body.ts";
import { BadRequestError, ExchangeStateError } from "../../errors.ts";
import type { BodyLimitFeature } from "../../exchange.ts";
import type { HeaderList } from "../../header-list.ts";
import type { ChunkedDecoder } from "../chunked-decoder.ts";
import { readBuffers } from "../read-buffers.ts";
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
export class RequestBody implements BodySource, BodyLimitFeature {
  readonly length: number | undefined;
  /** Bytes of the message that came and were used, framing included: for the data rate. */
  received = 0;
  /** The end of the body was seen: what follows on the connection is the next request. */
  finished = false;
  /** Nobody wants the bytes. */
  dropping = false;
  /** Bytes dropped since then. */
  dropped = 0;
  paused = false;

  readonly #owner: BodyOwner;
  readonly #decoder: ChunkedDecoder | undefined;
  #remaining: number;
  #delivered = 0;
  #maximum: number | undefined;
  #chosen = false;
  #started = false;
  #sink: BodySink | undefined;
  #failure: Error | undefined;

  constructor(owner: BodyOwner, length: number | undefined, decoder: ChunkedDecoder | undefined, maximum: number | undefined) {
    this.#owner = owner;
    this.length = length;
    this.#decoder = decoder;
    this.#remaining = length ?? 0;
    this.#maximum = maximum;
    this.finished = length === 0;
  }

  get started(): boolean {
    return this.#started;
  }

  get maximum(): number | undefined {
    return this.#maximum;
  }

  get chosen(): boolean {
    return this.#chosen;
  }

  get readOnly(): boolean {
    return this.#started;
  }

  set(maximum: number | undefined): void {
    if (this.#started) throw new ExchangeStateError("the body is being read: its limit cannot be changed");
    this.#maximum = maximum;
    this.#chosen = true;
  }

  /** Bytes that are still to come, when the length is known. */
  get remaining(): number | undefined {
    return this.length === undefined ? undefined : this.#remaining;
  }

  /** Broke off, or was refused: what follows on the connection means nothing. */
  get failed(): boolean {
    return this.#failure !== undefined;
  }

  /** Somebody reads it, to the end as far as anyone knows. */
  get wanted(): boolean {
    return this.#sink !== undefined;
  }

  read(sink: BodySink): void {
    if (this.#started) throw new ExchangeStateError("the body was read or cancelled already");
    this.#started = true;
    if (this.#failure !== undefined) {
      sink.onError(this.#failure);
      return;
    }
    this.#sink = sink;
    if (this.length !== undefined && this.#maximum !== undefined && this.length > this.#maximum) {
      this.fail(tooLarge());
      return;
    }
    if (this.finished) {
      this.#end(undefined);
      return;
    }
    this.#owner.bodyStarted();
    if (!this.paused) this.#owner.bodyWanted();
  }

  pause(): void {
    if (this.paused || this.finished || this.failed || this.dropping) return;
    this.paused = true;
    this.#owner.bodyPaused();
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    if (this.#sink !== undefined) this.#owner.bodyWanted();
  }

  cancel(): void {
    this.#started = true;
    this.#sink = undefined;
    if (this.finished || this.failed || this.dropping) return;
    this.dropping = true;
    this.paused = false;
    this.#owner.bodyWanted();
  }

  /** Breaks the body off. */
  fail(error: Error): void {
    if (this.finished || this.failed) return;
    this.#failure = error;
    const sink = this.#sink;
    this.#sink = undefined;
    sink?.onError(error);
  }

  /** Whether `consume` would use bytes. */
  get ready(): boolean {
    return !this.finished && !this.failed && (this.dropping || (this.#sink !== undefined && !this.paused));
  }

  /** Uses what it can of `input` and stops when it is held back. Returns a fault of the framing, or undefined. */
  consume(input: InputBuffer): BadRequestError | undefined {
    return this.#decoder === undefined ? this.#consumeLength(input) : this.#consumeChunked(input, this.#decoder);
  }

  #consumeLength(input: InputBuffer): undefined {
    const { bytes, start, end } = input;
    const taken = Math.min(end - start, this.#remaining);
    if (taken === 0) return;
    input.use(start + taken);
    this.received += taken;
    this.#remaining -= taken;
    if (this.#remaining === 0) this.finished = true;
    if (this.#sink === undefined) this.dropped += taken;
    else if (input.lasting) this.#sink.onData(taken === bytes.length ? bytes : bytes.subarray(start, start + taken));
    else deliverCopy(this.#sink, bytes, start, start + taken);
    if (this.finished) this.#end(undefined);
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
        this.#delivered += decoder.dataEnd - decoder.dataStart;
        if (this.#maximum !== undefined && this.#delivered > this.#maximum && !this.dropping) fault = tooLarge();
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
      const sink = this.#sink;
      if (sink === undefined) this.dropped += chunk.length;
      if (sink === undefined || sink.onData(chunk) === true) gathered.giveBack();
    }
    if (ended) this.#end(decoder.trailers);
    return fault;
  }

  #end(trailers: HeaderList | undefined): void {
    const sink = this.#sink;
    this.#sink = undefined;
    sink?.onEnd(trailers);
  }
}

/** Copies up to this size come out of Node's pool. */
const pooledSize = 4096;
/** What one read gives at most. */
const copySize = readBuffers.shared.length;
const maximumSpare = 32;
const spare: Buffer[] = [];

/** Memory of `copySize` bytes, to be given back by `reuse` when its reader is done with it. */
function takeSpare(): Buffer {
  return spare.pop() ?? Buffer.allocUnsafeSlow(copySize);
}

function reuse(memory: Buffer): void {
  if (spare.length < maximumSpare) spare.push(memory);
}

/** Most readers are done with a chunk at once: then the memory of a large copy serves the next one too. */
export function deliverCopy(sink: BodySink, bytes: Buffer, from: number, to: number): void {
  const size = to - from;
  if (size <= pooledSize || size > copySize) {
    sink.onData(Buffer.from(bytes.subarray(from, to)));
    return;
  }
  const memory = takeSpare();
  bytes.copy(memory, 0, from, to);
  if (sink.onData(memory.subarray(0, size)) === true) reuse(memory);
}

/** Joins pieces of one buffer; a single piece is not copied unless its memory does not last. */
class GatheredChunks {
  readonly #lasting: boolean;
  #bytes: Buffer | undefined = undefined;
  #length = 0;
  #copied = false;
  #spare: Buffer | undefined = undefined;

  constructor(lasting: boolean) {
    this.#lasting = lasting;
  }

  /** `room` is the most that this piece and all after it can hold. */
  add(bytes: Buffer, from: number, to: number, room: number): void {
    if (this.#bytes === undefined && this.#lasting) {
      this.#bytes = bytes.subarray(from, to);
      this.#length = to - from;
      return;
    }
    if (!this.#copied) {
      const size = this.#length + room;
      const joined = size > pooledSize && size <= copySize ? (this.#spare = takeSpare()) : Buffer.allocUnsafe(size);
      this.#bytes?.copy(joined);
      this.#bytes = joined;
      this.#copied = true;
    }
    bytes.copy(this.#bytes as Buffer, this.#length, from, to);
    this.#length += to - from;
  }

  take(): Buffer | undefined {
    return this.#bytes?.subarray(0, this.#length);
  }

  /** Nobody holds what `take` gave any more: its memory serves the next one. */
  giveBack(): void {
    if (this.#spare !== undefined) reuse(this.#spare);
    this.#spare = undefined;
  }
}

function tooLarge(): BadRequestError {
  return new BadRequestError(413, "BODY_TOO_LARGE", "the body of the request is too large");
}
