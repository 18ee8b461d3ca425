import { bodyTooSlow } from "../../bounded-body.ts";
import { ClientGoneError } from "../../errors.ts";
import { ChunkedDecoder } from "../chunked-decoder.ts";
import { BodyRate } from "./body-rate.ts";
import type { ClientInput } from "./client-input.ts";
import type { ConnectionDeadlines } from "./connection-deadlines.ts";
import { type BodyOwner, RequestBody } from "./request-body.ts";
import { bodyAbsent, bodyChunked } from "./request-parser.ts";
import type { ServerContext } from "./server-context.ts";

/** Most bytes of a body that nobody wanted which are read to keep the connection. */
const maximumDrained = 65_536;
/** How long a body that nobody wants may take to come to its end. */
const drainTime = 5000;
/** Bytes held for a reader that has paused: while the system is asked for more it tells of a lost connection. */
export const maximumHeld = 65_536;

/** Whose body it is. */
export interface BodyIntakeOwner {
  /** The client has half-closed. */
  readonly peerEnded: boolean;
  /** All of the body came. */
  bodyEnded(): void;
  /** What comes from now on cannot be understood, or is too much; `fault` says why. */
  bodyBroken(fault: Error | undefined): void;
  /** The client waits for 100 (Continue), and the body is asked for. */
  sendContinue(): void;
  /** A reader has thrown: nothing is known about what it did. */
  broken(error: unknown): void;
}

/**
 * Takes the bodies of the requests of one connection from its input, one after the other: to their readers, as fast as these read and
 * not slower than allowed, or to nobody, up to a bound.
 */
export class BodyIntake implements BodyOwner {
  /** In a body that has not come to its end. */
  open = false;
  readonly #context: ServerContext;
  readonly #deadlines: ConnectionDeadlines;
  readonly #input: ClientInput;
  readonly #owner: BodyIntakeOwner;
  #body: RequestBody | undefined = undefined;
  #rate: BodyRate | undefined = undefined;
  #awaitsContinue = false;
  /** The handler is being called: what came of the body with the head can be delivered before it returns. */
  #early = false;

  constructor(context: ServerContext, deadlines: ConnectionDeadlines, input: ClientInput, owner: BodyIntakeOwner) {
    this.#context = context;
    this.#deadlines = deadlines;
    this.#input = input;
    this.#owner = owner;
  }

  /** The body of the request in the parser, which the handler is about to be given; undefined when it has none. */
  begin(): RequestBody | undefined {
    const { bodyLength, expectContinue } = this.#context.parser;
    this.#awaitsContinue = expectContinue;
    this.#early = true;
    this.#body = bodyLength === bodyAbsent ? undefined : this.#make(bodyLength);
    this.open = this.#body !== undefined && !this.#body.finished;
    return this.#body;
  }

  /** The handler was called. */
  handed(): void {
    this.#early = false;
  }

  /** Gives what is held to the body; false when there is nothing more to do for now. Only while `open`. */
  read(): boolean {
    const body = this.#body as RequestBody;
    if (body.finished) {
      this.open = false;
      this.#deadlines.clearRead();
      this.#owner.bodyEnded();
      return true;
    }
    if (!body.ready) return false;
    const { buffer } = this.#input;
    if (buffer.length > 0) {
      const fault = body.consume(buffer);
      if (fault !== undefined) this.#break(fault);
      else if (body.dropped > maximumDrained) this.#break(undefined);
      return true;
    }
    if (!this.#owner.peerEnded) return false;
    this.#break(new ClientGoneError("the client left before the end of its body"));
    return true;
  }

  /** Whether more is to be read while `held` bytes wait. Only while `open`. */
  mayRead(held: number): boolean {
    const { maxRequestBufferSize } = this.#context.limits;
    const body = this.#body as RequestBody;
    return body.ready || held <= (body.paused ? Math.min(maximumHeld, maxRequestBufferSize) : maxRequestBufferSize);
  }

  /** The next piece did not come in time: judges how fast the body comes. `unwanted`: it is only read to keep the connection. Only while `open`. */
  overdue(time: number, unwanted: boolean): void {
    const body = this.#body as RequestBody;
    if (unwanted && !body.wanted) {
      this.#break(undefined);
      return;
    }
    const rate = this.#rate;
    if (rate?.gracePeriod === undefined || body.paused) return;
    if (!rate.tooSlow(body.received, time)) {
      this.#deadlines.setRead(1000);
      return;
    }
    try {
      this.#break(bodyTooSlow());
    } catch (error) {
      this.#owner.broken(error);
    }
  }

  /** The body was begun by a reader, or given up. */
  get started(): boolean {
    return this.#body?.started === true;
  }

  /** Somebody reads it. */
  get wanted(): boolean {
    return this.#body?.wanted === true;
  }

  /** There is none, or all of it came. */
  get finished(): boolean {
    return this.#body === undefined || this.#body.finished;
  }

  /** A 100 was sent. */
  continueSent(): void {
    this.#awaitsContinue = false;
  }

  /**
   * The answer is about to be written, `whole` with all of it: whether the next request can be found behind what is left of the body.
   * A body that nobody has begun is dropped then.
   */
  canBePassed(whole: boolean): boolean {
    const body = this.#body;
    if (body === undefined || body.finished) return true;
    const input = this.#input;
    if (whole && !body.started && !this.#awaitsContinue) {
      body.cancel();
      // While what came is being used the call above could not look at what is there already.
      if (input.stepping && !body.finished && body.consume(input.buffer) !== undefined) return false;
      if (input.deaf) return false;
    }
    if (body.failed || this.#awaitsContinue) return false;
    return body.wanted || body.finished || (body.remaining ?? Infinity) <= maximumDrained;
  }

  /** Reads what is left for nobody. */
  drain(): void {
    this.#deadlines.setRead(drainTime);
    this.#body?.cancel();
    this.#input.use();
  }

  /** Tells the reader that the rest does not come. */
  fail(cause: Error): void {
    this.#body?.fail(cause);
  }

  /** The request is over, or given up. */
  leave(): void {
    this.open = false;
  }

  /** As `leave`, and keeps nothing of it. */
  clear(): void {
    this.open = false;
    this.#body = undefined;
  }

  // -- What the body asks

  bodyWanted(): void {
    if (this.#rate?.resume() === true) this.#armRate();
    if (this.#early) this.#deliverEarly();
    else this.#input.use();
  }

  bodyPaused(): void {
    this.#rate?.pause();
    if (this.open) this.#deadlines.clearRead();
  }

  bodyStarted(): void {
    if (this.#awaitsContinue) {
      this.#awaitsContinue = false;
      this.#owner.sendContinue();
    }
    this.#rate?.start();
    this.#armRate();
  }

  // -- Inside

  #make(length: number): RequestBody {
    const { limits, wheel } = this.#context;
    this.#rate ??= new BodyRate(limits.minRequestBodyDataRate, wheel);
    if (length !== bodyChunked) return new RequestBody(this, length, undefined, limits.maxRequestBodySize);
    const decoder = new ChunkedDecoder({
      maxTrailersSize: limits.maxRequestHeadersTotalSize,
      maxTrailerCount: limits.maxRequestHeaderCount,
    });
    return new RequestBody(this, undefined, decoder, limits.maxRequestBodySize);
  }

  /**
   * Inside the handler: a small body that came with its head leaves with it too, in one write. What follows the
   * body is looked at when the handler has returned.
   */
  #deliverEarly(): void {
    this.#early = false;
    if (!this.open || this.#body?.ready !== true || this.#input.buffer.length === 0) return;
    try {
      this.read();
    } catch (error) {
      this.#owner.broken(error);
    }
  }

  #break(fault: Error | undefined): void {
    if (!this.open) return;
    this.open = false;
    this.#owner.bodyBroken(fault);
  }

  #armRate(): void {
    const grace = this.#rate?.gracePeriod;
    if (grace !== undefined && this.open) this.#deadlines.setRead(grace);
  }
}
