import type { HeaderList } from "../../header-list.ts";
import { latin1Text } from "../latin1-text.ts";
import type { ClientOutput } from "./client-output.ts";
import { trailerFields } from "./response-fields.ts";
import { flushAtTurnEnd, type HoldsText } from "./turn-end.ts";

/** How the body of a streamed response is framed. */
export const framedByLength = 0;
export const framedChunked = 1;
export const framedByClose = 2;
export const withoutBody = 3;

/** Texts up to this go to the system without another allocation in Node's stream layer. */
export const maximumText = 16_384;

/** A chunk above this is not worth the copy that lets it leave with the next one. */
const minimumAlone = 1024;

/**
 * The body of a response that comes in pieces, and its framing. Small pieces wait, with the head, for the end of the turn of the event
 * loop or for `flush`, so that they leave together.
 */
export class ResponseStream implements HoldsText {
  readonly framing: number;
  readonly #output: ClientOutput;
  /** Bytes that are still to come, when framed by length. */
  #remaining: number;
  /** Text that was not handed to the socket yet. */
  #held: string;
  #waits = false;
  #wantsDrain = false;

  /** `head` as it goes on the wire; `length`, in bytes, counts when framed by it. */
  constructor(output: ClientOutput, head: string, framing: number, length: number) {
    this.#output = output;
    this.framing = framing;
    this.#remaining = length;
    this.#held = head;
    this.#flushSoon();
  }

  /** Bytes that were not handed to the socket yet. */
  get heldLength(): number {
    return this.#held.length;
  }

  /** Whether `length` more bytes would be too many. */
  exceededBy(length: number): boolean {
    return this.framing === framedByLength && length > this.#remaining;
  }

  /** Whether bytes are missing. */
  get incomplete(): boolean {
    return this.framing === framedByLength && this.#remaining > 0;
  }

  /** Sends a piece that is not empty, and does not exceed the length. False when the socket's buffer is full. */
  write(chunk: Uint8Array): boolean {
    if (this.framing === framedChunked) return this.#writeChunk(chunk);
    if (this.framing === withoutBody) return true;
    if (this.framing === framedByLength) this.#remaining -= chunk.length;
    return this.#writePlain(chunk);
  }

  /** As `write`, for latin1 text that is far shorter than `maximumText`. */
  writeText(text: string): boolean {
    if (this.framing === withoutBody) return true;
    if (this.#held.length + text.length > maximumText) this.flush();
    if (this.framing === framedChunked) {
      this.#held += `${text.length.toString(16)}\r\n${text}\r\n`;
    } else {
      if (this.framing === framedByLength) this.#remaining -= text.length;
      this.#held += text;
      if (this.framing === framedByLength && this.#remaining === 0) {
        this.flush();
        return this.#hasRoom();
      }
    }
    this.#flushSoon();
    return this.#hasRoom();
  }

  flush(): void {
    if (this.#held === "") return;
    const text = this.#held;
    this.#held = "";
    this.#written(this.#output.writeText(text));
  }

  /** Adds what stands behind the last piece, for `flush`. Throws an `ExchangeStateError` for trailers that cannot be written. */
  finish(trailers: HeaderList | undefined): void {
    if (this.framing !== framedChunked) return;
    this.#held += trailers === undefined ? "0\r\n\r\n" : `0\r\n${trailerFields(trailers)}\r\n`;
  }

  /** What is held is not sent any more. */
  drop(): void {
    this.#held = "";
  }

  /** The socket's buffer is empty again; true when somebody waited for it. */
  drained(): boolean {
    const waited = this.#wantsDrain;
    this.#wantsDrain = false;
    return waited;
  }

  flushHeld(): void {
    this.#waits = false;
    this.flush();
  }

  #writePlain(chunk: Uint8Array): boolean {
    const complete = this.framing === framedByLength && this.#remaining === 0;
    if (this.#held === "" && (complete || chunk.length > minimumAlone)) return this.#written(this.#output.writeBytes(chunk));
    if (this.#held.length + chunk.length <= maximumText) {
      this.#held += latin1Text(chunk);
      if (complete) this.flush();
      else this.#flushSoon();
      return this.#hasRoom();
    }
    return this.#writeLarge(this.#held, chunk, "");
  }

  #writeChunk(chunk: Uint8Array): boolean {
    const size = `${chunk.length.toString(16)}\r\n`;
    if (this.#held.length + chunk.length <= maximumText) {
      this.#held += `${size}${latin1Text(chunk)}\r\n`;
      this.#flushSoon();
      return this.#hasRoom();
    }
    return this.#writeLarge(this.#held + size, chunk, "\r\n");
  }

  #writeLarge(before: string, chunk: Uint8Array, after: string): boolean {
    this.#held = "";
    const output = this.#output;
    output.cork();
    if (before !== "") output.writeText(before);
    output.writeBytes(chunk);
    if (after !== "") output.writeText(after);
    return this.#written(output.uncork());
  }

  #written(room: boolean): boolean {
    if (!room) this.#wantsDrain = true;
    return room;
  }

  /** Whether earlier pieces left room; the one in hand was copied. */
  #hasRoom(): boolean {
    return !this.#wantsDrain;
  }

  #flushSoon(): void {
    if (this.#waits) return;
    this.#waits = true;
    flushAtTurnEnd(this);
  }
}
