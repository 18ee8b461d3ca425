import type { HeaderList } from "./header-list.ts";

/**
 * Bodies are pushed: a source calls its sink with the bytes as they arrive, and the sink holds the source back
 * with `pause`. Plain calls, no stream, promise or closure per chunk.
 *
 * The order of calls is `onData* (onEnd | onError)`; exactly one of the last two, and nothing after it. After
 * `cancel` there are no calls at all. A source may call its sink from inside `read`.
 */
export interface BodySource {
  /** The declared length in bytes (Content-Length), or undefined when only the end tells. */
  readonly length: number | undefined;
  /** True once `read` or `cancel` was called: the body can no longer be handed to somebody else. */
  readonly started: boolean;
  /** Starts delivery to `sink`. A source is read once: a second call throws. */
  read(sink: BodySink): void;
  /** Stops delivery after the chunk in hand. Pausing twice, or after the end, does nothing. */
  pause(): void;
  /** Goes on after `pause`. Bytes may be delivered before this returns. */
  resume(): void;
  /**
   * The reader wants no more of it. The rest is dropped by whoever owns the connection, who decides whether it
   * can be used again. May be called before `read`, and twice.
   */
  cancel(): void;
}

export interface BodySink {
  /**
   * `chunk` is never empty. It is the sink's to keep unless `onData` returns true, which says "I hold no
   * reference to these bytes any more": the source may then use the memory again.
   */
  onData(chunk: Uint8Array): boolean | void;
  /** The body is complete. `trailers` is undefined or holds at least one line. */
  onEnd(trailers: HeaderList | undefined): void;
  /** The body broke off: the peer left, a limit was exceeded, the framing was wrong. */
  onError(error: Error): void;
}

/** A way to send bytes with backpressure: the response body, the request body to a destination, a tunnel. */
export interface ByteSink {
  /**
   * Accepts `chunk`, always. False means: wait for the drain listener before the next one. The caller must not
   * change the bytes afterwards while `pending` is above zero.
   */
  write(chunk: Uint8Array): boolean;
  /** Bytes accepted that the operating system has not taken yet. Zero: no chunk is referenced any more. */
  readonly pending: number;
  /** The one listener told when writing may go on after `write` gave false. A later call replaces it. */
  onDrain(listener: () => void): void;
}
