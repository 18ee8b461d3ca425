import { flag } from "../abi/constants.ts";
import type { Memory } from "../binding.ts";
import type { PendingCall } from "../completions.ts";
import { encodeChunks, encodeResponse, type ResponseParts, type ResponsePiece } from "../encode-response.ts";
import type { RequestHandle } from "./request-call.ts";

export interface SenderOwner {
  /** Bytes were taken; `pending` is down. */
  sent(): void;
  /** The last of it was taken. */
  finished(): void;
  /** `code`: a Windows error code. Nothing more is sent. */
  failed(code: number): void;
}

interface Flight {
  readonly head: ResponseParts | undefined;
  readonly pieces: readonly ResponsePiece[];
  readonly bytes: number;
  readonly last: boolean;
}

/**
 * Sends a head and what follows, one call at a time: what is given meanwhile goes out with the next. Holds the memory of the call
 * in flight.
 */
export class Sender implements PendingCall {
  /** Bytes given and not taken yet. */
  pending = 0;
  readonly #handle: RequestHandle;
  readonly #owner: SenderOwner;
  readonly #opaque: boolean;
  #head: ResponseParts | undefined;
  #pieces: ResponsePiece[] = [];
  #last: { readonly disconnect: boolean } | undefined;
  #flying: Flight | undefined;
  #memory: Memory | undefined;
  #stopped = false;
  #scheduled = false;

  constructor(handle: RequestHandle, owner: SenderOwner, opaque = false) {
    this.#handle = handle;
    this.#owner = owner;
    this.#opaque = opaque;
  }

  /** The head, which leaves with the next flush. */
  head(parts: ResponseParts): void {
    this.#head = parts;
  }

  add(piece: ResponsePiece): void {
    this.#pieces.push(piece);
    this.pending += size(piece);
  }

  /** Nothing comes after this. */
  end(disconnect: boolean): void {
    this.#last = { disconnect };
  }

  /** Sends what there is, now or when the call in flight has ended. */
  flush(): void {
    if (this.#flying !== undefined || this.#stopped) return;
    if (this.#head === undefined && this.#pieces.length === 0 && this.#last === undefined) return;
    const pieces = this.#nextPieces();
    const bytes = pieces.reduce((sum, piece) => sum + size(piece), 0);
    this.#flying = { pieces, head: this.#head, bytes, last: this.#last !== undefined && this.#pieces.length === 0 };
    this.#head = undefined;
    this.#handle.completions.submit(this);
  }

  /** What the next call takes: no more than it can, no trailers together with a head, and nothing with that of an upgrade. */
  #nextPieces(): ResponsePiece[] {
    const all = this.#pieces;
    if (this.#opaque && this.#head !== undefined) return [];
    const last = all.at(-1);
    const most = this.#head !== undefined && last !== undefined && "trailers" in last ? Math.min(mostPieces, all.length - 1) : mostPieces;
    if (all.length > most) return all.splice(0, most);
    this.#pieces = [];
    return all;
  }

  /** Flushes after what is running now, so that a head and first bytes leave together. */
  flushSoon(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.flush();
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#pieces = [];
    this.pending = 0;
  }

  start(overlapped: bigint): number {
    const { library, queue, id } = this.#handle;
    const { head, pieces, last } = this.#flying as Flight;
    // One call at a time, and so HTTP.sys is to buffer: else each call lasts until the client has acknowledged its bytes.
    let flags: number = flag.HTTP_SEND_RESPONSE_FLAG_BUFFER_DATA;
    if (this.#opaque && head !== undefined) flags |= flag.HTTP_SEND_RESPONSE_FLAG_OPAQUE;
    if (!last) flags |= flag.HTTP_SEND_RESPONSE_FLAG_MORE_DATA;
    else if (this.#last?.disconnect === true) flags |= flag.HTTP_SEND_RESPONSE_FLAG_DISCONNECT;
    if (head !== undefined) {
      this.#memory = encodeResponse(library, head, pieces);
      return library.call("HttpSendHttpResponse", queue, id, flags, this.#memory.address, 0n, 0n, 0n, 0, overlapped, 0n);
    }
    this.#memory = encodeChunks(library, pieces);
    return library.call(
      "HttpSendResponseEntityBody", queue, id, flags, pieces.length, this.#memory?.address ?? 0n, 0n, 0n, 0, overlapped, 0n,
    );
  }

  completed(code: number): void {
    const flown = this.#flying;
    this.#flying = undefined;
    this.#memory = undefined;
    if (this.#stopped || flown === undefined) return;
    if (code !== 0) {
      this.stop();
      this.#owner.failed(code);
      return;
    }
    this.pending -= flown.bytes;
    if (flown.last) {
      this.stop();
      this.#owner.finished();
      return;
    }
    this.flush();
    this.#owner.sent();
  }
}

const mostPieces = 1000;

function size(piece: ResponsePiece): number {
  if (piece instanceof Uint8Array) return piece.length;
  return "trailers" in piece ? 0 : Number(piece.length);
}
