import type { BodySink, BodySource } from "../../body.ts";
import { DestinationError } from "../../destination-client.ts";
import type { HeaderList } from "../../header-list.ts";
import type { Socket } from "node:net";
import { latin1Text } from "../latin1-text.ts";
import { asError, type EngineCall } from "./engine-call.ts";
import { lastChunk } from "./request-head.ts";

/** Up to this size a chunk is turned to text and joined with what stands around it: one write instead of three. */
const joinedSize = 4096;
/** Most text that is held back while a source delivers what it has at hand. */
const heldSize = 16_384;

/**
 * Carries a request body from its source to the socket: framing, the declared length enforced, and the source
 * held back while the socket is full.
 */
export class RequestBodyWriter implements BodySink {
  readonly #call: EngineCall;
  readonly #source: BodySource;
  readonly #chunked: boolean;
  #remaining: number;
  #socket: Socket | undefined;
  /** Text that waits for more, while the source is in `read`. Empty: nothing is held back. */
  #held = "";
  #holding = false;
  /** The socket keeps small pieces until this turn is over. */
  #corked = false;
  #paused = false;
  #sent = false;
  /** The source was asked for the body. */
  started = false;
  /** All of it was given to the socket. */
  complete = false;
  #over = false;

  constructor(call: EngineCall, source: BodySource) {
    this.#call = call;
    this.#source = source;
    this.#chunked = source.length === undefined;
    this.#remaining = source.length ?? 0;
  }

  /** Reads the source and writes to `socket`; `head` leaves with the first bytes that are at hand. */
  start(socket: Socket, head: string): void {
    this.#socket = socket;
    this.#held = head;
    this.#holding = true;
    this.started = true;
    try {
      this.#source.read(this);
    } catch (error) {
      this.#fail("the request body cannot be read", "gateway", error);
    }
    this.#holding = false;
    if (this.#call.done) return;
    this.#flush();
  }

  /** The rest is not wanted. */
  drop(): void {
    this.#held = "";
    if (this.#over) return;
    this.#over = true;
    this.started = true;
    try {
      this.#source.cancel();
    } catch {
      // A source that cannot be cancelled has nothing more to say.
    }
  }

  onData(chunk: Uint8Array): boolean {
    if (this.#over) return true;
    const size = chunk.length;
    if (!this.#chunked) {
      this.#remaining -= size;
      if (this.#remaining < 0) {
        this.#fail("the request body is longer than its declared length", "client", undefined);
        return true;
      }
    }
    if (size <= joinedSize) {
      const text = latin1Text(chunk);
      this.#text(this.#chunked ? `${size.toString(16)}\r\n${text}\r\n` : text);
      return true;
    }
    const socket = this.#socket as Socket;
    if (!this.#chunked && this.#held === "") {
      socket.write(chunk);
      this.#wrote(socket);
      return socket.writableLength === 0;
    }
    socket.cork();
    if (this.#held !== "") this.#flush();
    if (this.#chunked) socket.write(`${size.toString(16)}\r\n`, "latin1");
    socket.write(chunk);
    if (this.#chunked) socket.write("\r\n", "latin1");
    socket.uncork();
    this.#wrote(socket);
    return socket.writableLength === 0;
  }

  onEnd(trailers: HeaderList | undefined): void {
    if (this.#over) return;
    if (this.#remaining > 0) {
      this.#fail("the request body is shorter than its declared length", "client", undefined);
      return;
    }
    if (this.#chunked) {
      const text = lastChunk(trailers);
      if (text === undefined) {
        this.#over = true;
        this.#fail("a trailer holds an illegal character", "gateway", undefined);
        return;
      }
      this.#over = true;
      this.complete = true;
      this.#text(text);
      return;
    }
    this.#over = true;
    this.complete = true;
  }

  onError(error: Error): void {
    if (this.#over) return;
    this.#over = true;
    this.#fail("the request body broke off", "client", error);
  }

  /** The socket has taken what it held. */
  drained(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#over) return;
    try {
      this.#source.resume();
    } catch (error) {
      this.#fail("the request body cannot be read", "gateway", error);
    }
  }

  #text(text: string): void {
    if (this.#holding) {
      this.#held += text;
      if (this.#held.length >= heldSize) this.#flush();
      return;
    }
    const socket = this.#socket as Socket;
    // A client may cut its body into single bytes, and send thousands of them at once.
    if (!this.#corked) {
      this.#corked = true;
      socket.cork();
      process.nextTick(RequestBodyWriter.#uncork, this, socket);
    }
    socket.write(text, "latin1");
    this.#wrote(socket);
  }

  static #uncork(writer: RequestBodyWriter, socket: Socket): void {
    writer.#corked = false;
    socket.uncork();
  }

  #flush(): void {
    const text = this.#held;
    if (text === "") return;
    this.#held = "";
    const socket = this.#socket as Socket;
    socket.write(text, "latin1");
    this.#wrote(socket);
  }

  #wrote(socket: Socket): void {
    this.#sent = true;
    if (!this.#paused && !this.#over && socket.writableNeedDrain && socket.writableLength > 0) {
      this.#paused = true;
      try {
        this.#source.pause();
      } catch (error) {
        this.#fail("the request body cannot be held back", "gateway", error);
        return;
      }
    }
    this.#call.tellProgress();
  }

  #fail(fault: string, source: "client" | "gateway", cause: unknown): void {
    const { destination } = this.#call;
    destination.stop(
      this.#call,
      new DestinationError(`${destination.name}: ${fault}`, {
        step: "request-body",
        source,
        requestSent: this.#sent,
        ...(cause === undefined ? {} : { cause: asError(cause) }),
      }),
    );
  }
}
