/**
 * One HTTP/2 connection of a client: the only owner of its socket. Its life:
 *
 * 1. the preface and SETTINGS, within the time for a head;
 * 2. streams, each an exchange (`session.ts`); what is malformed is answered or reset, floods end the connection;
 * 3. GOAWAY, twice at a shutdown so that no request is lost while others are under way (RFC 9113, 6.8), once when idle or at fault;
 * 4. the socket closes, by itself or after a moment by force.
 */
import type { Socket } from "node:net";
import { ClientGoneError } from "../../errors.ts";
import type { ConnectionInfo } from "../../exchange.ts";
import { reuseReads } from "../server/reused-reads.ts";
import type { Timed } from "../timer-wheel.ts";
import { CheckedFrames } from "./checked-frames.ts";
import { clientPreface, errorCode } from "./frames.ts";
import type { Http2Context } from "./http2-context.ts";
import { Output, type OutputOwner } from "./output.ts";
import { Http2Session, maximumHeaderList, type SessionOwner } from "./session.ts";

/** How long a connection that was told to go may take to close its socket, and how much it may still send. */
const lingerTime = 5000;
const maximumLingered = 8_388_608;
/** The same at a shutdown where nothing was under way. */
const idleLingerTime = 1000;
/** How long the answer to the PING after the first GOAWAY is waited for. */
const goodbyeTime = 1000;
/** RFC 9113, 6.8: "no more streams soon", which refuses none. */
const noStreamYet = 2 ** 31 - 1;
/** Bytes that the client does not take: from here on nothing more is read from it. */
const maximumUntaken = 262_144;
/** Code of a header list is rarely longer than the list. */
const blockSlack = 4096;

/** What is taken for the answer to our PING. */
const pingBytes = Buffer.from("goodbye!", "latin1");

export class Http2Connection implements Timed, SessionOwner, OutputOwner {
  readonly info: ConnectionInfo;
  deadline: number;
  wheelIndex = -1;
  /** The server began to close, and not only this connection. */
  serverClosing = false;
  leaving = false;
  readonly #context: Http2Context;
  readonly #socket: Socket;
  readonly #output: Output;
  readonly #session: Http2Session;
  readonly #frames: CheckedFrames;
  /** Bytes of the preface that came. */
  #preface = 0;
  /** A first GOAWAY was said, or the last one. */
  #saidGoodbye = false;
  /** The last stream as GOAWAY named it: never a later one than before (RFC 9113, 6.8). */
  #lastStream = noStreamYet;
  /** All is over but the socket: what comes is dropped. */
  #over = false;
  #lingered = 0;
  #reading = true;
  #lastLook: number;
  #idleSince: number;
  /** The last frame that came whole when it was looked, and when that was. */
  #frameMark = -1;
  #frameSince = 0;
  /** When the session is closed after the first GOAWAY, and when the socket. */
  #goodbyeAt = Infinity;
  #cutAt = Infinity;
  /** For the rate at which the client takes what is sent: how much it must have taken by when. */
  #takenMark = 0;
  #takeDeadline = Infinity;

  constructor(context: Http2Context, socket: Socket, info: ConnectionInfo) {
    this.#context = context;
    this.#socket = socket;
    this.info = info;
    const { wheel, limits } = context;
    this.#lastLook = this.#idleSince = this.deadline = wheel.time;
    this.#output = new Output(socket, info.tls !== undefined, this);
    this.#session = new Http2Session(this, context, this.#output);
    this.#frames = new CheckedFrames(this.#session, maximumHeaderList(limits) + blockSlack);
    // A FIN ends an HTTP/2 connection, whichever server accepted it.
    socket.allowHalfOpen = false;
    socket.on("error", (error) => this.#failed(error));
    socket.on("end", () => this.#ended());
    socket.on("close", () => this.#closed());
    const memory = info.tls === undefined ? context.readMemory : undefined;
    if (memory === undefined || !reuseReads(socket, memory, (count) => this.#data(memory, count, false))) {
      socket.on("data", (chunk: Buffer) => this.#data(chunk, chunk.length, true));
    }
    wheel.add(this);
  }

  // -- What the server tells

  /** Finishes what is under way and closes. */
  shutDown(): void {
    if (this.#saidGoodbye || this.#over) return;
    this.#saidGoodbye = true;
    const { writer } = this.#session.streams;
    writer.goaway(noStreamYet, errorCode.noError);
    // What the client sent before it heard of it comes before its answer.
    writer.ping(pingBytes, 0, false);
    this.#goodbyeAt = this.#context.wheel.after(goodbyeTime);
    this.deadline = this.#context.wheel.time;
  }

  /** The server begins to close. */
  serverCloses(): void {
    this.serverClosing = true;
    this.#session.streams.shutDown();
    if (!this.#session.streams.empty || !this.#frames.idle) {
      this.shutDown();
      return;
    }
    // What the client may be sending was not seen, as the last stream in the GOAWAY says: it may send that again elsewhere.
    this.#goodbye();
    this.#cutAt = Math.min(this.#cutAt, this.#context.wheel.after(idleLingerTime));
  }

  destroy(): void {
    this.#socket.destroy();
  }

  onDeadline(time: number): void {
    const elapsed = time - this.#lastLook;
    this.#lastLook = time;
    this.deadline = time;
    if (time >= this.#cutAt) {
      this.#socket.destroy();
      return;
    }
    if (this.#over) return;
    if (time >= this.#goodbyeAt) this.#goodbye();
    this.#session.streams.watch(time, elapsed);
    this.#watchReader(time);
    this.#watchFrames(time);
    if (this.#session.streams.empty) this.#watchIdle(time);
    if (this.#sleeps) this.deadline = this.#idleSince + this.#idleTime;
  }

  // -- What the session tells

  connectionFault(code: number, message: string): void {
    if (this.#over) return;
    this.#fault(new Error(`the HTTP/2 connection is ended: ${message}`));
    this.#end(code, new ClientGoneError(`the connection of the client was ended: ${message}`));
  }

  broken(error: unknown): void {
    this.#fault(error instanceof Error ? error : new Error("a value that is no error was thrown", { cause: error }));
    this.#socket.destroy();
  }

  requestStarted(count: number): void {
    this.deadline = this.#context.wheel.time;
    if (count === this.#context.limits.maxRequestsPerConnection) this.shutDown();
  }

  emptied(): void {
    this.#idleSince = this.#context.wheel.time;
    if (this.leaving) this.#leave();
  }

  pingAnswered(): void {
    if (this.#goodbyeAt !== Infinity) this.#goodbye();
  }

  /** What is under way goes on. */
  clientLeaves(): void {
    this.#saidGoodbye = true;
    this.#goodbye();
  }

  taken(position: number): void {
    this.#session.streams.taken(position);
    if (!this.#reading && !this.#over && this.#output.unsent < maximumUntaken / 2) {
      this.#reading = true;
      this.#socket.resume();
    }
  }

  // -- What the socket tells

  #data(bytes: Buffer, count: number, lasting: boolean): void {
    if (this.#over) {
      this.#lingered += count;
      if (this.#lingered > maximumLingered) this.#socket.destroy();
      return;
    }
    if (this.deadline > this.#context.wheel.time) this.#wake();
    let from = 0;
    if (this.#preface < clientPreface.length) {
      from = this.#readPreface(bytes, count);
      if (from < 0) return;
    }
    this.#session.lasting = lasting;
    try {
      this.#frames.read(bytes, from, count);
    } catch (error) {
      this.broken(error);
    }
    if (this.#output.unsent > maximumUntaken && this.#reading) {
      this.#reading = false;
      this.#socket.pause();
    }
  }

  /** Returns how many bytes of it came, -1 when the client speaks something else. */
  #readPreface(bytes: Buffer, count: number): number {
    let at = 0;
    while (at < count && this.#preface < clientPreface.length) {
      if (bytes[at++] !== clientPreface[this.#preface++]) {
        this.connectionFault(errorCode.protocolError, "the client does not speak HTTP/2");
        return -1;
      }
    }
    return at;
  }

  #ended(): void {
    if (!this.#over) this.#end(errorCode.noError, new ClientGoneError("the client left before the exchange was over"));
  }

  #failed(error: Error): void {
    if (!this.#over) this.#fault(new Error(`the HTTP/2 connection failed: ${error.message}`, { cause: error }));
  }

  #closed(): void {
    this.#over = true;
    this.#frames.stop();
    this.#context.wheel.remove(this);
    this.#session.streams.lost(new ClientGoneError("the client left before the exchange was over"));
    this.#context.connectionClosed(this);
  }

  // -- Ending

  /** The final GOAWAY: what is under way goes on, nothing new is taken. */
  #goodbye(): void {
    this.#goodbyeAt = Infinity;
    if (this.leaving || this.#over) return;
    this.#saidGoodbye = this.leaving = true;
    this.#goaway(errorCode.noError);
    if (this.#session.streams.empty) this.#leave();
  }

  #goaway(code: number): void {
    const { writer, table } = this.#session.streams;
    this.#lastStream = Math.min(this.#lastStream, table.last);
    writer.goaway(this.#lastStream, code);
  }

  /** Nothing is under way any more. */
  #leave(): void {
    if (this.#over) return;
    this.#over = true;
    this.#frames.stop();
    this.#closeSocket();
  }

  /** All that is under way is given up. Who has left himself is told nothing. */
  #end(code: number, cause: Error): void {
    this.#over = this.leaving = true;
    this.#frames.stop();
    if (code !== errorCode.noError) this.#goaway(code);
    this.#session.streams.lost(cause);
    this.#closeSocket();
  }

  /** Sends a FIN behind the last frame, and reads on for a while: closing now could destroy that. */
  #closeSocket(): void {
    this.#output.flush();
    this.#cutAt = this.#context.wheel.after(lingerTime);
    this.deadline = this.#context.wheel.time;
    const socket = this.#socket;
    socket.end();
    if (!this.#reading) socket.resume();
  }

  // -- Time

  #watchIdle(time: number): void {
    if (!this.leaving && time - this.#idleSince > this.#idleTime) this.#goodbye();
  }

  get #idleTime(): number {
    const { limits } = this.#context;
    return this.#frames.count > 0 ? limits.keepAliveTimeout : limits.requestHeadersTimeout;
  }

  /** There is nothing to look at until the client says something, or has said nothing for too long. */
  get #sleeps(): boolean {
    return !this.#saidGoodbye && !this.#over && this.#session.streams.empty && this.#frames.idle && this.#output.unsent === 0;
  }

  #wake(): void {
    this.deadline = this.#lastLook = this.#frameSince = this.#context.wheel.time;
  }

  /** A frame or a header block that does not come to its end; bodies have a rate of their own. */
  #watchFrames(time: number): void {
    const frames = this.#frames;
    if (frames.idle || frames.inData || frames.count !== this.#frameMark) {
      this.#frameMark = frames.count;
      this.#frameSince = time;
    } else if (time - this.#frameSince > this.#context.limits.requestHeadersTimeout) {
      this.connectionFault(errorCode.enhanceYourCalm, "a header block does not come to its end");
    }
  }

  /** The client must take what is sent, whichever stream it is for. */
  #watchReader(time: number): void {
    const rate = this.#context.limits.minResponseDataRate;
    const { unsent, position } = this.#output;
    const taken = position - unsent;
    if (rate === undefined || unsent === 0) {
      this.#takeDeadline = Infinity;
    } else if (taken >= this.#takenMark || this.#takeDeadline === Infinity) {
      this.#takenMark = position;
      this.#takeDeadline = time + rate.gracePeriod + (unsent * 1000) / rate.bytesPerSecond;
    } else if (time > this.#takeDeadline) {
      this.#fault(new Error("the client reads too slowly"));
      this.#socket.destroy();
    }
  }

  #fault(error: Error): void {
    this.#context.onFault(error, this.info.id);
  }
}
