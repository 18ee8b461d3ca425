import { BadRequestError, type BodySink, type BodySource, type HeaderList } from "@proxy/http";
import { passingTrailers } from "./response-headers.ts";

/** What a request body tells its forwarding. */
export interface RequestBodyOwner {
  /** Bytes came from the client. */
  touch(): void;
  /** The body is over: whole, broken off, or given up by the destination's client. */
  onRequestBodyOver(): void;
}

export type RequestBodyState = "idle" | "flowing" | "whole" | "failed" | "cancelled";

/**
 * The request body between the client and the destination: holds the declared length (more or fewer bytes are
 * the client's fault and never reach the wire as framing), and remembers how it ended.
 */
export class RequestBody implements BodySource, BodySink {
  readonly #source: BodySource;
  readonly #owner: RequestBodyOwner;
  #sink: BodySink | undefined;
  #received = 0;
  /** How far the copying is. */
  state: RequestBodyState = "idle";
  /** Held back by the destination. */
  paused = false;
  /** Why it failed. */
  error: Error | undefined;

  constructor(source: BodySource, owner: RequestBodyOwner) {
    this.#source = source;
    this.#owner = owner;
  }

  get length(): number | undefined {
    return this.#source.length;
  }

  get started(): boolean {
    return this.state !== "idle";
  }

  read(sink: BodySink): void {
    if (this.state !== "idle") throw new Error("the request body was read already");
    this.state = "flowing";
    this.#sink = sink;
    this.#source.read(this);
  }

  pause(): void {
    this.paused = true;
    this.#source.pause();
  }

  resume(): void {
    this.paused = false;
    this.#source.resume();
  }

  cancel(): void {
    if (this.state !== "idle" && this.state !== "flowing") return;
    this.state = "cancelled";
    this.#source.cancel();
    this.#owner.onRequestBodyOver();
  }

  onData(chunk: Uint8Array): boolean | void {
    if (this.state !== "flowing") return true;
    this.#owner.touch();
    this.#received += chunk.length;
    const length = this.#source.length;
    if (length !== undefined && this.#received > length) {
      this.#mismatch("more");
      return true;
    }
    return this.#sink?.onData(chunk);
  }

  onEnd(trailers: HeaderList | undefined): void {
    if (this.state !== "flowing") return;
    const length = this.#source.length;
    if (length !== undefined && this.#received < length) {
      this.#mismatch("fewer");
      return;
    }
    this.state = "whole";
    this.#owner.touch();
    this.#sink?.onEnd(passingTrailers(trailers));
    this.#owner.onRequestBodyOver();
  }

  onError(error: Error): void {
    if (this.state !== "flowing") return;
    this.state = "failed";
    this.error = error;
    this.#sink?.onError(error);
    this.#owner.onRequestBodyOver();
  }

  #mismatch(how: "more" | "fewer"): void {
    this.onError(new BadRequestError(400, "BODY_LENGTH", `request body has ${how} bytes than its Content-Length`));
    this.#source.cancel();
  }
}

/** A body of length 0: what a request about content that has none is sent with. */
export class EmptyBody implements BodySource {
  readonly length = 0;
  started = false;

  read(sink: BodySink): void {
    this.started = true;
    sink.onEnd(undefined);
  }

  pause(): void {}

  resume(): void {}

  cancel(): void {
    this.started = true;
  }
}
