import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { destinationFault } from "../../../tls/destination-fault.ts";
import type { SocketListener } from "../../client/open-socket.ts";
import { ReadMemory } from "../../client/read-memory.ts";
import { readBuffers } from "../../read-buffers.ts";
import { CheckedFrames } from "../checked-frames.ts";
import { errorCode } from "../frames.ts";
import { Output, type OutputOwner } from "../output.ts";
import type { Http2Call } from "./call.ts";
import type { Http2Destination } from "./http2-destination.ts";
import { NegotiatedSocket } from "./negotiated-socket.ts";
import { DestinationSession, type DestinationSessionOwner, maximumBlock } from "./session.ts";
import { codeName } from "./stream-faults.ts";

const alpnProtocols = ["h2", "http/1.1"];
/** How long a connection that was told to go may take to close its socket, and how much it may still send. */
const lingerTime = 5000;
const maximumLingered = 8_388_608;
/** How long the answer to a PING is waited for. */
const pingTime = 10_000;
/** How long none is sent to a destination that has answered one, and no request since: gRPC takes more of them for abuse, and ends the connection. */
const pingPause = 300_000;
/** What is taken for the answer to our PING. */
const pingBytes = Buffer.from("anybody?", "latin1");
/** Stream ids end at 2^31 (RFC 9113, 5.1.1). */
const maximumRequests = 2 ** 30 - 1;
/** Bytes that the destination does not take: from here on it gets no further requests, and is given up when even its PINGs cannot be answered. */
const maximumUntaken = 1_048_576;
const maximumOwed = 4 * maximumUntaken;

type State = "connecting" | "greeting" | "open" | "leaving" | "closed";

/**
 * One HTTP/2 connection to a destination and the only owner of its socket:
 *
 * 1. connecting: TCP and TLS; where ALPN chose HTTP/1.1 the socket is given away;
 * 2. greeting: the preface is sent, the destination's SETTINGS are waited for, so that its limits are known before a request;
 * 3. open: as many streams as the destination allows;
 * 4. leaving: told to go, too old, or its client is closing: streams end, none begins; then the socket is closed;
 * 5. closed, at any time: whatever was on it is told. What broke the protocol is told so by GOAWAY, and given a moment to read it.
 *
 * The connect timeout covers the first two.
 */
export class Http2ClientConnection implements SocketListener, DestinationSessionOwner, OutputOwner {
  /** In the time of the wheel. */
  openedAt = 0;
  /** Why it is lost. */
  fault = "the connection was closed";
  cause: Error | undefined = undefined;
  /** It was cut by us. */
  isCut = false;
  readonly #destination: Http2Destination;
  readonly #negotiated: NegotiatedSocket;
  readonly #memory = new ReadMemory();
  /** Somebody holds a part of what was read last. */
  #kept = false;
  readonly #tlsGeneration: number;
  readonly #connectBy: number;
  #state: State = "connecting";
  #socket: Socket | undefined = undefined;
  #output: Output | undefined = undefined;
  #session: DestinationSession | undefined = undefined;
  #frames: CheckedFrames | undefined = undefined;
  #requests = 0;
  #answers = 0;
  #idleSince = 0;
  #resting = false;
  #lingered = 0;
  #cutAt = Infinity;
  #pingBy = Infinity;
  #nextPing = 0;

  constructor(destination: Http2Destination) {
    this.#destination = destination;
    const { wheel, http1 } = destination;
    this.#tlsGeneration = http1.tls?.generation ?? 0;
    this.#connectBy = wheel.after(http1.options.connectTimeout);
    this.#negotiated = new NegotiatedSocket({ ...http1.tunnelMeans, origin: http1.origin, alpnProtocols, session: http1.session }, this);
  }

  /** Streams that the destination allows at once. */
  get limit(): number {
    return this.#session?.limit ?? 0;
  }

  /** The destination takes extended CONNECT (RFC 8441, 3). */
  get connectProtocol(): boolean {
    return this.#session?.connectProtocol === true;
  }

  /** Takes another request. */
  get available(): boolean {
    const session = this.#session;
    // TLS settings that changed count from the next request on.
    return this.#state === "open" && session !== undefined && session.streams.table.open.size < session.limit
      && (this.#output as Output).unsent < maximumUntaken && this.#tlsGeneration === (this.#destination.http1.tls?.generation ?? 0);
  }

  /** Nothing has ever been answered on it. */
  get isFresh(): boolean {
    return this.#answers === 0;
  }

  /** Sends the request of `call`. It must be available. */
  start(call: Http2Call): void {
    const session = this.#session as DestinationSession;
    const { upload, request } = call;
    if (this.#resting) {
      this.#resting = false;
      this.#socket?.ref();
    }
    const stream = session.open(call, request.upgrade === undefined && (upload === undefined || upload.size === 0));
    if (++this.#requests >= maximumRequests) this.leave();
    call.start(this, stream);
  }

  /** A request was given up before anything came: the destination may be gone without a word. */
  doubt(): void {
    const { wheel } = this.#destination;
    if (this.#pingBy !== Infinity || this.#state !== "open" || wheel.time < this.#nextPing) return;
    this.#session?.streams.writer.ping(pingBytes, 0, false);
    this.#pingBy = wheel.after(pingTime);
    this.#nextPing = wheel.after(pingPause);
  }

  /** The head of a response came. */
  heard(): void {
    this.#nextPing = 0;
  }

  /** Somebody holds a part of what was read last. */
  keepMemory(): void {
    this.#kept = true;
  }

  /** Takes no new request; closes when the last one is over. */
  leave(): void {
    if (this.#state === "connecting" || this.#state === "greeting") {
      this.#lose("the client was closed", undefined, { byUs: true });
      return;
    }
    if (this.#state !== "open") return;
    this.#state = "leaving";
    this.#destination.sessionLeft(this);
    if (this.#isIdle) this.#goodbye();
  }

  /** Ends it now; what is on it is told. */
  cut(cause: Error): void {
    this.#lose("the client was shut down", cause, { byUs: true });
    this.#socket?.destroy();
  }

  /** Looks at its deadlines. */
  check(time: number): void {
    const { options } = this.#destination.http1;
    if (time >= this.#cutAt) {
      this.#socket?.destroy();
    } else if (this.#state === "connecting" || this.#state === "greeting") {
      if (time < this.#connectBy) return;
      const missing = this.#state === "connecting" ? "no connection" : "no HTTP/2 SETTINGS";
      this.#lose(`${missing} within ${options.connectTimeout} ms`, undefined, { timedOut: true });
    } else if (time >= this.#pingBy) {
      this.#pingBy = Infinity;
      this.#lose(`the connection is dead: no answer to a PING within ${pingTime} ms`, undefined);
    } else if (this.#state === "open") {
      if (this.#isAged(time) || (this.#isIdle && time - this.#idleSince >= options.idleTimeout)) this.leave();
      else if (this.#isIdle && !this.#resting && this.#idleSince <= time) this.#rest();
    }
  }

  // What the socket tells

  socketOpened(socket: Socket): void {
    if (this.#state !== "connecting") {
      socket.destroy();
      return;
    }
    this.#socket = socket;
    if (this.#destination.http1.tls === undefined || (socket as TLSSocket).alpnProtocol === "h2") {
      this.#greet(socket);
      return;
    }
    this.#state = "closed";
    this.#destination.openedHttp1(this, this.#negotiated, socket);
  }

  socketFailed(error: Error): void {
    this.#lose(destinationFault(error) ?? "no connection", error);
  }

  socketClosed(): void {
    this.#lose("the connection was closed", undefined);
    this.#memory.choose(false, false);
    this.#destination.sessionClosed(this);
  }

  socketSession(session: Buffer): void {
    const { http1 } = this.#destination;
    if (this.#tlsGeneration === http1.tls?.generation) http1.session = session;
  }

  #greet(socket: Socket): void {
    this.#state = "greeting";
    const { http1, wheel } = this.#destination;
    // A FIN ends an HTTP/2 connection.
    socket.allowHalfOpen = false;
    socket.on("error", (error) => this.#lose(destinationFault(error) ?? "the connection broke", error));
    socket.on("end", () => this.#lose("the destination closed the connection", undefined));
    const { maxResponseHeadersSize } = http1.options;
    const output = new Output(socket, http1.tls !== undefined, this);
    const session = new DestinationSession(this, output, () => wheel.time, maxResponseHeadersSize);
    this.#output = output;
    this.#session = session;
    this.#frames = new CheckedFrames(session, maximumBlock(maxResponseHeadersSize));
    this.#negotiated.give(this, { buffer: () => this.#memory.takeNext() as Buffer, callback: (count, bytes) => this.#read(count, bytes as Buffer) });
  }

  #read(count: number, bytes: Buffer): boolean {
    if (this.#state === "closed" || this.#session === undefined) {
      this.#lingered += count;
      if (this.#lingered > maximumLingered) this.#socket?.destroy();
      return true;
    }
    const own = this.#memory.isOwn(bytes);
    this.#session.lasting = own;
    this.#kept = false;
    try {
      this.#frames?.read(bytes, 0, count);
    } catch (error) {
      this.#lose("the frames of the destination could not be read", error as Error, { byUs: true });
    }
    if (own && this.#kept) this.#memory.giveUpOwn();
    // A read that fills the memory that all share is one of many.
    this.#memory.choose(count >= readBuffers.shared.length, own);
    if ((this.#output as Output).unsent > maximumOwed) this.connectionFault(errorCode.enhanceYourCalm, "it takes nothing of what it asks for");
    return true;
  }

  // What the output tells

  taken(position: number): void {
    this.#session?.streams.taken(position);
    if (this.#state === "open") this.#destination.sessionFree();
  }

  // What the session tells

  settingsTaken(): void {
    if (this.#state === "greeting") {
      this.#state = "open";
      this.openedAt = this.#destination.wheel.time;
      this.#idleSince = this.#destination.wheel.after(0);
      this.#destination.sessionOpened(this);
    } else if (this.#state === "open") {
      this.#destination.sessionFree();
    }
  }

  streamClosed(call: Http2Call): void {
    if (call.answered) this.#answers++;
    if (this.#isIdle) this.#idleSince = this.#destination.wheel.after(0);
    if (this.#state === "open") this.#destination.sessionFree();
    else if (this.#state === "leaving" && this.#isIdle) this.#goodbye();
  }

  pingAnswered(): void {
    this.#pingBy = Infinity;
  }

  /** RFC 9113, 6.8: streams above the last one were not looked at. */
  goaway(last: number, code: number): void {
    if (this.#state === "closed") return;
    if (this.#state === "greeting") {
      this.#lose("the destination wants no connection (GOAWAY)", undefined);
      return;
    }
    if (code !== errorCode.noError) {
      this.#lose(`the destination ended the connection (${codeName(code)})`, undefined, { lastStream: last });
      return;
    }
    this.fault = "the destination is going away";
    if (this.#state === "open") {
      this.#state = "leaving";
      this.#destination.sessionLeft(this);
    }
    this.#loseStreams(last, true);
    if (this.#isIdle) this.#goodbye();
  }

  connectionFault(code: number, message: string): void {
    if (this.#state === "closed") return;
    this.#session?.streams.writer.goaway(0, code);
    this.#lose(this.#state === "greeting" ? `it does not speak HTTP/2: ${message}` : `the destination broke the protocol: ${message}`, undefined, { lingers: true });
  }

  // Ending

  get #isIdle(): boolean {
    return this.#session === undefined || this.#session.streams.table.open.size === 0;
  }

  #isAged(time: number): boolean {
    const { tls, options } = this.#destination.http1;
    return (tls !== undefined && this.#tlsGeneration !== tls.generation) || time - this.openedAt >= options.connectionLifetime;
  }

  #rest(): void {
    this.#resting = true;
    this.#socket?.unref();
  }

  /** All streams are over: GOAWAY, and the socket closes. */
  #goodbye(): void {
    if (this.#cutAt !== Infinity) return;
    this.#session?.streams.writer.goaway(0, errorCode.noError);
    this.#closeSocket();
  }

  /** Sends a FIN behind the last frame, and reads on for a while: closing now could destroy that. */
  #closeSocket(): void {
    this.#output?.flush();
    this.#cutAt = this.#destination.wheel.after(lingerTime);
    this.#socket?.end();
  }

  /** The streams above `last` are over. `unprocessed`: and were not looked at. */
  #loseStreams(last: number, unprocessed: boolean): void {
    if (this.#session === undefined) return;
    // Each takes itself out.
    for (const stream of this.#session.streams.table.open.values()) {
      if (stream.id <= last) continue;
      stream.cut();
      stream.listener.connectionLost(unprocessed);
    }
  }

  /** The end of it, however it came. Told once. */
  #lose(fault: string, cause: Error | undefined, how: { readonly byUs?: boolean; readonly timedOut?: boolean; readonly lingers?: boolean; readonly lastStream?: number } = {}): void {
    if (this.#state === "closed") return;
    const opened = this.#state === "open" || this.#state === "leaving";
    const { byUs = false, timedOut = false, lastStream = Infinity } = how;
    this.#state = "closed";
    this.fault = fault;
    this.cause = cause;
    this.isCut = byUs;
    this.#frames?.stop();
    if (opened) this.#destination.sessionLeft(this);
    this.#loseStreams(lastStream, true);
    this.#loseStreams(0, false);
    if (this.#socket === undefined) this.#negotiated.destroy();
    else if (how.lingers === true) this.#closeSocket();
    else this.#socket.destroy();
    if (opened) return;
    const source = byUs ? "gateway" : "destination";
    this.#destination.openingFailed(this, fault, { source, timedOut, ...(cause === undefined ? {} : { cause }) });
  }
}
