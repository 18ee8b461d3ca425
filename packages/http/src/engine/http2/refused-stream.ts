import { errorCode } from "./frames.ts";
import type { ServerStream, ServerStreamListener } from "./server-streams.ts";

/** A stream whose request was answered without anybody having seen it, and whose rest nobody wants. */
export class RefusedStream implements ServerStreamListener {
  readonly #stream: ServerStream;
  readonly #credit: (count: number) => void;

  /** `credit`: bytes that came may come again, on other streams. */
  constructor(stream: ServerStream, credit: (count: number) => void) {
    this.#stream = stream;
    this.#credit = credit;
  }

  received(_bytes: Buffer, from: number, to: number): void {
    this.#credit(to - from);
  }

  sent(): void {
    if (!this.#stream.remoteClosed) this.#stream.reset(errorCode.noError);
  }

  receivedEnd(): void {}
  drained(): void {}
  lost(): void {}
  watch(): void {}
  shutDown(): void {}
}
