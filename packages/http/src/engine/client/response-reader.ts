import type { ResponseHead } from "../../exchange.ts";
import { hasListElement } from "../../field-grammar.ts";
import type { HeaderList } from "../../header-list.ts";
import { fieldMark } from "../../header-name.ts";
import { framingChunked, framingMalformed, framingUntilClose, responseFraming } from "../body-framing.ts";
import { ChunkedDecoder } from "../chunked-decoder.ts";
import { announcedTimeout } from "./announced-timeout.ts";
import { FieldScanner, headIncomplete, headMalformed, headTooManyFields } from "../head-parser.ts";
import type { EngineCall } from "./engine-call.ts";
import { StatusLine, statusLineIncomplete, statusLineMalformed } from "./status-line.ts";

/** What `ResponseReader.read` came to. */
export type ReadOutcome =
  /** All bytes are used; the response goes on. */
  | "more"
  /** The response is complete; bytes from `position` on do not belong to it. */
  | "done"
  /** The call is paused; bytes from `position` on are to be read again later. */
  | "paused"
  /** The call ended while its handler was told something. */
  | "stopped"
  /** The head in `head` makes the connection a tunnel; its bytes begin at `position`. */
  | "tunnel"
  /** Not HTTP: `fault` says what, `phase` where. */
  | "fault";

type Phase = "head" | "length" | "chunked" | "until-close";

const maximumFields = 1000;
/** Interim responses to one request; more are no help to anybody. */
const maximumInterim = 64;
const maximumTrailersSize = 16_384;
const maximumTrailerCount = 100;
/** Bodies up to this are text together with their head, when they come with it. */
const maximumWhole = 4096;
/**
 * Chunks up to this are copied before they are told: whoever keeps one keeps a buffer of 64 KiB otherwise. An event stream would cost one
 * for each event, and a client that does not read could hold many times what is meant to wait for it.
 */
export const maximumCopied = 2048;
const cr = 13;
const lf = 10;

const scanner = new FieldScanner();
const statusLine = new StatusLine();

/**
 * Reads the responses of one connection, one after the other (RFC 9112, 4 to 7), strictly: what is unclear is a
 * fault and the connection is lost. Tells the call what it finds; bytes may be split anywhere.
 */
export class ResponseReader {
  phase: Phase = "head";
  /** How far the bytes of the last `read` are used. */
  position = 0;
  /** A byte of a response to the present request has come. */
  begun = false;
  /** After "done": the peer will take another request on this connection. */
  keepAlive = false;
  /** How long the peer said it keeps an idle connection, in milliseconds; `Infinity` when it did not say. */
  keepAliveTimeout = Infinity;
  fault = "";
  trailers: HeaderList | undefined = undefined;
  head: ResponseHead | undefined = undefined;
  /** After "done": the body that belongs to `head`, when the call was told of neither, since both came at once. */
  whole: string | undefined = undefined;
  /** A handler kept a part of the bytes of the last `read` (never with `copies`). */
  kept = false;
  readonly #maximumHead: number;
  #remaining = 0;
  #chunked: ChunkedDecoder | undefined;
  #interim = 0;
  #held: Buffer | undefined;
  #heldLength = 0;
  /** How many held bytes were looked at in vain. */
  #scanned = 0;

  constructor(maximumHead: number) {
    this.#maximumHead = maximumHead;
  }

  /** Bytes of the body that are still to come, as far as it is known: 0 where it is not. */
  get remaining(): number {
    return this.phase === "length" ? this.#remaining : 0;
  }

  /** After "done": makes ready for the response to the next request, and keeps nothing of the last one. */
  reset(): void {
    this.phase = "head";
    this.begun = false;
    this.keepAlive = false;
    this.trailers = undefined;
    this.head = undefined;
    this.whole = undefined;
    this.#chunked = undefined;
    this.#interim = 0;
  }

  /**
   * Goes on in `bytes[from..to)`. With `copies` the bytes are used again when this returns, so chunks are handed
   * on as copies.
   */
  read(call: EngineCall, bytes: Buffer, from: number, to: number, copies: boolean): ReadOutcome {
    this.kept = false;
    this.position = from;
    if (from < to) this.begun = true;
    for (;;) {
      let outcome: ReadOutcome | undefined;
      switch (this.phase) {
        case "head":
          outcome = this.#readHead(call, bytes, to);
          break;
        case "length":
          outcome = this.#readLength(call, bytes, to, copies);
          break;
        case "chunked":
          outcome = this.#readChunked(call, bytes, to, copies);
          break;
        default:
          outcome = this.#readUntilClose(call, bytes, to, copies);
      }
      if (outcome !== undefined) return outcome;
    }
  }

  #readLength(call: EngineCall, bytes: Buffer, to: number, copies: boolean): ReadOutcome | undefined {
    if (this.#remaining === 0) return "done";
    const from = this.position;
    if (from === to) return "more";
    if (call.paused) return "paused";
    const end = Math.min(to, from + this.#remaining);
    this.#remaining -= end - from;
    this.position = end;
    return this.#deliver(call, bytes, from, end, copies) ? undefined : "stopped";
  }

  #readUntilClose(call: EngineCall, bytes: Buffer, to: number, copies: boolean): ReadOutcome {
    const from = this.position;
    if (from === to) return "more";
    if (call.paused) return "paused";
    this.position = to;
    return this.#deliver(call, bytes, from, to, copies) ? "more" : "stopped";
  }

  #readChunked(call: EngineCall, bytes: Buffer, to: number, copies: boolean): ReadOutcome | undefined {
    if (call.paused && this.position < to) return "paused";
    const decoder = this.#chunked as ChunkedDecoder;
    const event = decoder.next(bytes, this.position, to);
    this.position = decoder.position;
    switch (event) {
      case "data":
        return this.#deliver(call, bytes, decoder.dataStart, decoder.dataEnd, copies) ? undefined : "stopped";
      case "end":
        this.trailers = decoder.trailers;
        return "done";
      case "more":
        return "more";
      default:
        return this.#refuse(decoder.fault);
    }
  }

  #deliver(call: EngineCall, bytes: Buffer, from: number, to: number, copies: boolean): boolean {
    if (to - from <= maximumCopied && call.takesText) {
      call.tellText(bytes.toString("latin1", from, to));
    } else if (copies || to - from <= maximumCopied) {
      const chunk = Buffer.allocUnsafe(to - from);
      bytes.copy(chunk, 0, from, to);
      call.tellData(chunk);
    } else if (!call.tellData(from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to))) {
      this.kept = true;
    }
    return !call.done;
  }

  #readHead(call: EngineCall, bytes: Buffer, to: number): ReadOutcome | undefined {
    const from = this.position;
    if (from === to) return "more";
    if (this.#held !== undefined) return this.#readHeldHead(call, bytes, to);
    const end = this.#scan(bytes, from, to);
    if (end === headMalformed) return "fault";
    if (end === headIncomplete) {
      if (to - from >= this.#maximumHead) return this.#refuse("the response head is too large");
      this.#hold(bytes, from, to);
      this.#scanned = to - from;
      this.position = to;
      return "more";
    }
    this.position = end;
    return this.#takeHead(call, bytes, from, end, to);
  }

  /** The head came in pieces: puts them together, and looks again once it can be complete. */
  #readHeldHead(call: EngineCall, bytes: Buffer, to: number): ReadOutcome | undefined {
    const from = this.position;
    const before = this.#heldLength;
    const taken = Math.min(to - from, this.#maximumHead + 1 - before);
    this.#hold(bytes, from, from + taken);
    const held = this.#held as Buffer;
    const length = this.#heldLength;
    const complete = holdsEmptyLine(held, Math.max(0, before - 3), length);
    // Looking only when the empty line is there, or at each doubling, keeps a head in single bytes linear and
    // still refuses one early that will never end.
    if (!complete && length < this.#scanned * 2 && length <= this.#maximumHead) {
      this.position = to;
      return "more";
    }
    const end = this.#scan(held, 0, length);
    if (end === headMalformed) return "fault";
    if (end === headIncomplete) {
      if (length >= this.#maximumHead) return this.#refuse("the response head is too large");
      this.#scanned = length;
      this.position = to;
      return "more";
    }
    this.#held = undefined;
    this.#heldLength = 0;
    this.position = from + end - before;
    return this.#takeHead(call, held, 0, end, end);
  }

  /** The place behind the head, `headIncomplete`, or `headMalformed` with `fault` set. */
  #scan(bytes: Buffer, from: number, to: number): number {
    const start = statusLine.scan(bytes, from, to);
    if (start === statusLineIncomplete) return headIncomplete;
    if (start === statusLineMalformed) return this.#malformed(statusLine.fault);
    const end = scanner.scan(bytes, start, to, maximumFields);
    if (end === headMalformed) return this.#malformed(scanner.fault);
    if (end === headTooManyFields) return this.#malformed("the response has too many header fields");
    if (end - from > this.#maximumHead) return this.#malformed("the response head is too large");
    return end;
  }

  /** `to`: how far `bytes` were read; what stands behind the head there may be its body. */
  #takeHead(call: EngineCall, bytes: Buffer, from: number, end: number, to: number): ReadOutcome | undefined {
    const { status, minorVersion } = statusLine;
    const { marks, repeated } = scanner;
    const text = bytes.toString("latin1", from, to - end <= maximumWhole ? to : end);
    const headers = scanner.list(text, from);
    const { method, upgrade } = call.request;
    const framing = responseFraming({ status, minorVersion, head: method === "HEAD", headers, marks, repeated });
    if (framing === framingMalformed) return this.#refuse("the length of the response is unclear");
    const head: ResponseHead = { status, reason: statusLine.reason(text, from), headers, endsWithConnection: framing === framingUntilClose };
    if (status < 200) {
      if (status === 101) {
        if (upgrade === undefined || !switchesTo(headers, upgrade)) {
          return this.#refuse("the response switches to a protocol that was not asked for");
        }
        this.head = head;
        return "tunnel";
      }
      if (!staysOpen(minorVersion, marks, headers)) return this.#refuse("an interim response closes the connection");
      if (++this.#interim > maximumInterim) return this.#refuse("there are too many interim responses");
      call.connection?.turn.interim(status);
      call.tellInformational(status, headers);
      return call.done ? "stopped" : undefined;
    }
    if (method === "CONNECT" && status < 300) {
      this.head = head;
      return "tunnel";
    }
    // The proxy speaks for itself: to the client it would say nothing.
    if (status === 407 && call.destination.proxied !== undefined) return this.#refuse("the web proxy wants (other) credentials");
    this.keepAlive = framing !== framingUntilClose && staysOpen(minorVersion, marks, headers);
    this.keepAliveTimeout = (marks & fieldMark.keepAlive) === 0 ? Infinity : announcedTimeout(headers.get("keep-alive") as string);
    if (framing === framingChunked) {
      this.phase = "chunked";
      this.#chunked = new ChunkedDecoder({ maxTrailersSize: maximumTrailersSize, maxTrailerCount: maximumTrailerCount });
    } else if (framing === framingUntilClose) {
      this.phase = "until-close";
    } else {
      this.phase = "length";
      this.#remaining = framing;
      if (framing <= to - end && framing <= maximumWhole && call.takesWhole) {
        call.connection?.turn.finalHead(status);
        if (call.done) return "stopped";
        this.head = head;
        this.whole = text.slice(end - from, end - from + framing);
        this.position += framing;
        return "done";
      }
    }
    call.connection?.turn.finalHead(status);
    call.tellResponse(head);
    return call.done ? "stopped" : undefined;
  }

  #hold(bytes: Buffer, from: number, to: number): void {
    const length = this.#heldLength + to - from;
    if (this.#held === undefined || length > this.#held.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(1024, length * 2));
      this.#held?.copy(larger, 0, 0, this.#heldLength);
      this.#held = larger;
    }
    bytes.copy(this.#held, this.#heldLength, from, to);
    this.#heldLength = length;
  }

  #refuse(fault: string): "fault" {
    this.fault = fault;
    return "fault";
  }

  #malformed(fault: string): number {
    this.fault = fault;
    return headMalformed;
  }
}

function holdsEmptyLine(bytes: Buffer, from: number, to: number): boolean {
  for (let i = from; i + 3 < to; i++) {
    if (bytes[i] === cr && bytes[i + 1] === lf && bytes[i + 2] === cr && bytes[i + 3] === lf) return true;
  }
  return false;
}

/** RFC 9112, 9.3. */
function staysOpen(minorVersion: number, marks: number, headers: HeaderList): boolean {
  if ((marks & fieldMark.connection) === 0) return minorVersion === 1;
  let keepAlive = minorVersion === 1;
  for (let i = headers.indexOf("connection"); i >= 0; i = headers.indexOf("connection", i + 1)) {
    const value = headers.valueAt(i);
    if (minorVersion === 1 && value === "keep-alive") continue;
    if (hasListElement(value, "close")) return false;
    if (minorVersion === 0 && hasListElement(value, "keep-alive")) keepAlive = true;
  }
  return keepAlive;
}

/** Whether a 101 names the protocol that was asked for (RFC 9110, 7.8 and 15.2.2). */
function switchesTo(headers: HeaderList, asked: string): boolean {
  const value = headers.get("upgrade");
  return value !== undefined && value.split(",").some((name) => hasListElement(asked, name.trim().toLowerCase()));
}
