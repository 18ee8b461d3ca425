import { connect, constants, type ClientHttp2Session, type Settings } from "node:http2";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { SocketListener } from "../engine/client/open-socket.ts";
import type { Http2Call } from "./http2-call.ts";
import type { Http2Destination } from "./http2-destination.ts";
import { NegotiatedSocket } from "./negotiated-socket.ts";
import { destinationFault } from "../tls/destination-fault.ts";

const alpnProtocols = ["h2", "http/1.1"];
/** Bytes of one response that may be on their way: what a stream that nobody reads holds at most. */
const streamWindow = 262_144;
/** Node gives bytes of the connection's window back at once: only what is on the way counts. */
const connectionWindow = 16_777_216;
const maximumFields = 1000;
/** How long a connection that was told to go may take to close its socket. */
const lingerTime = 5000;
/** How long the answer to a PING is waited for. */
const pingTime = 10_000;
/** Stream ids end at 2^31 (RFC 9113, 5.1.1). */
const maximumRequests = 2 ** 30 - 1;

type State = "connecting" | "greeting" | "open" | "leaving" | "closed";

/**
 * One HTTP/2 connection to a destination and the only owner of its session and socket:
 *
 * 1. connecting: TCP and TLS; where ALPN chose HTTP/1.1 the socket is given away;
 * 2. greeting: the preface is sent, the destination's SETTINGS are waited for, so that its limits are known before a request;
 * 3. open: as many streams as the destination allows;
 * 4. leaving: told to go, too old, or its client is closing: streams end, none begins; then the socket is closed;
 * 5. closed, at any time: whatever was on it is told.
 *
 * The connect timeout covers the first two.
 */
export class Http2Session implements SocketListener {
  /** The destination takes extended CONNECT (RFC 8441, 3). */
  connectProtocol = false;
  /** Streams that the destination allows at once. */
  limit = 0;
  /** In the time of the wheel. */
  openedAt = 0;
  /** Why it is lost. */
  fault = "the connection was closed";
  cause: Error | undefined;
  /** It was cut by us. */
  isCut = false;
  readonly #destination: Http2Destination;
  readonly #negotiated: NegotiatedSocket;
  readonly #tlsGeneration: number;
  readonly #calls = new Set<Http2Call>();
  readonly #connectBy: number;
  #state: State = "connecting";
  #socket: Socket | undefined;
  #session: ClientHttp2Session | undefined;
  #requests = 0;
  #answers = 0;
  #idleSince = 0;
  #resting = false;
  #cutAt = Infinity;
  #pingBy = Infinity;

  constructor(destination: Http2Destination) {
    this.#destination = destination;
    const { wheel, http1 } = destination;
    this.#tlsGeneration = http1.tls?.generation ?? 0;
    this.#connectBy = wheel.after(http1.options.connectTimeout);
    this.#negotiated = new NegotiatedSocket({ ...http1.tunnelMeans, origin: http1.origin, alpnProtocols, session: http1.session }, this);
  }

  /** Takes another request. */
  get available(): boolean {
    // TLS settings that changed count from the next request on; Node's session may be gone before it tells.
    return this.#state === "open" && this.#calls.size < this.limit && this.#session?.destroyed === false
      && this.#tlsGeneration === (this.#destination.http1.tls?.generation ?? 0);
  }

  get isOpen(): boolean {
    return this.#state === "open";
  }

  /** The connection is gone, as far as its requests are concerned. */
  get isLost(): boolean {
    return this.#state === "closed" || this.#session?.destroyed === true;
  }

  /** Nothing has ever been answered on it. */
  get isFresh(): boolean {
    return this.#answers === 0;
  }

  /** Sends the request of `call`. It must be available. */
  start(call: Http2Call): void {
    const session = this.#session as ClientHttp2Session;
    const { upload } = call;
    if (this.#resting) {
      this.#resting = false;
      this.#socket?.ref();
    }
    this.#calls.add(call);
    let stream;
    try {
      stream = session.request(call.fields, {
        endStream: call.request.upgrade === undefined && (upload === undefined || upload.size === 0),
        ...(upload?.waitsForTrailers === true ? { waitForTrailers: true } : {}),
      });
    } catch (cause) {
      this.#calls.delete(call);
      call.stop("the request cannot be sent", { step: "request", source: "gateway", cause });
      return;
    }
    if (++this.#requests >= maximumRequests) this.leave();
    call.start(this, stream);
  }

  /** The stream of `call` is closed. */
  callClosed(call: Http2Call): void {
    this.#calls.delete(call);
    if (call.answered) this.#answers++;
    // Node tells the streams first, and the session once its socket is closed.
    if (this.#session?.destroyed === true) this.#lose("the connection failed", call.streamError, false);
    if (this.#calls.size === 0) this.#idleSince = this.#destination.wheel.after(0);
    if (this.#state === "open") this.#destination.sessionFree();
    else if (this.#state === "leaving" && this.#calls.size === 0) this.#goodbye();
  }

  /** A request was given up before anything came: the destination may be gone without a word. */
  doubt(): void {
    const session = this.#session;
    if (this.#pingBy !== Infinity || session === undefined || this.isLost || this.#state !== "open") return;
    const sent = session.ping(() => {
      this.#pingBy = Infinity;
    });
    if (sent) this.#pingBy = this.#destination.wheel.after(pingTime);
  }

  /** Takes no new request; closes when the last one is over. */
  leave(): void {
    if (this.#state === "connecting" || this.#state === "greeting") {
      this.#lose("the client was closed", undefined, true);
      return;
    }
    if (this.#state !== "open") return;
    this.#state = "leaving";
    this.#destination.sessionLeft(this);
    if (this.#calls.size === 0) this.#goodbye();
  }

  /** Ends it now; what is on it is told. */
  cut(cause: Error): void {
    this.#lose("the client was shut down", cause, true);
  }

  /** Looks at its deadlines. */
  check(time: number): void {
    const { options } = this.#destination.http1;
    if (this.#state === "connecting" || this.#state === "greeting") {
      if (time < this.#connectBy) return;
      const missing = this.#state === "connecting" ? "no connection" : "no HTTP/2 SETTINGS";
      this.#lose(`${missing} within ${options.connectTimeout} ms`, undefined, false, true);
    } else if (time >= this.#cutAt) {
      this.#socket?.destroy();
    } else if (time >= this.#pingBy) {
      this.#pingBy = Infinity;
      this.#lose(`the connection is dead: no answer to a PING within ${pingTime} ms`, undefined, false);
    } else if (this.#state === "open") {
      const idle = this.#calls.size === 0;
      if (this.#isAged(time) || (idle && time - this.#idleSince >= options.idleTimeout)) this.leave();
      else if (idle && !this.#resting && this.#idleSince <= time) this.#rest();
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
    this.#lose(destinationFault(error) ?? "no connection", error, false);
  }

  socketClosed(): void {
    this.#lose("the connection was closed", undefined, false);
    this.#destination.sessionClosed(this);
  }

  socketSession(session: Buffer): void {
    const { http1 } = this.#destination;
    if (this.#tlsGeneration === http1.tls?.generation) http1.session = session;
  }

  #greet(socket: Socket): void {
    this.#state = "greeting";
    const { http1 } = this.#destination;
    const { host, port, scheme } = http1.origin;
    // A FIN ends an HTTP/2 connection.
    socket.allowHalfOpen = false;
    socket.on("error", (error) => this.#lose(destinationFault(error) ?? "the connection broke", error, false));
    let session: ClientHttp2Session;
    try {
      session = connect({ protocol: `${scheme}:`, hostname: host, port: String(port) } as URL, {
        createConnection: () => socket,
        ...sessionOptions(http1.options.maxResponseHeadersSize),
      });
    } catch (error) {
      this.#lose("no HTTP/2 session", error as Error, true);
      return;
    }
    this.#session = session;
    session.on("connect", () => {
      if (!session.destroyed) session.setLocalWindowSize(connectionWindow);
    });
    session.on("remoteSettings", (settings) => this.#settings(settings));
    session.on("goaway", (code, last) => this.#goaway(code, last));
    session.on("error", (error) => this.#lose(destinationFault(error) ?? "the connection failed", error, false));
    session.on("close", () => this.#lose("the connection was closed", undefined, false));
  }

  #settings(settings: Settings): void {
    this.limit = settings.maxConcurrentStreams ?? Infinity;
    this.connectProtocol = settings.enableConnectProtocol === true;
    if (this.#state === "greeting") {
      this.#state = "open";
      this.openedAt = this.#destination.wheel.time;
      this.#idleSince = this.#destination.wheel.after(0);
      this.#destination.sessionOpened(this);
    } else if (this.#state === "open") {
      this.#destination.sessionFree();
    }
  }

  /** RFC 9113, 6.8: streams above the last one were not looked at. Node closes the session when the code is an error. */
  #goaway(code: number, last: number): void {
    for (const call of this.#calls) if (call.streamId > last) call.unprocessed = true;
    if (code !== constants.NGHTTP2_NO_ERROR) {
      this.fault = `the destination ended the connection (GOAWAY with code ${code})`;
      this.#lose(this.fault, undefined, false);
    } else if (this.#state === "open") {
      this.#state = "leaving";
      this.#cutLater();
      this.#destination.sessionLeft(this);
    } else if (this.#state === "greeting") {
      this.#lose("the destination wants no connection (GOAWAY)", undefined, false);
    }
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
    const session = this.#session;
    if (session !== undefined && !session.destroyed) session.close();
    this.#cutLater();
  }

  #cutLater(): void {
    if (this.#calls.size === 0 && this.#cutAt === Infinity) this.#cutAt = this.#destination.wheel.after(lingerTime);
  }

  /** The end of it, however it came. Told once. */
  #lose(fault: string, cause: Error | undefined, byUs: boolean, timedOut = false): void {
    if (this.#state === "closed") return;
    const before = this.#state;
    this.#state = "closed";
    this.fault = fault;
    this.cause = cause;
    this.isCut = byUs;
    const opened = before !== "connecting" && before !== "greeting";
    if (opened) this.#destination.sessionLeft(this);
    for (const call of this.#calls) call.lostSession();
    this.#calls.clear();
    this.#session?.destroy();
    if (this.#socket === undefined) this.#negotiated.destroy();
    else this.#socket.destroy();
    if (opened) return;
    const source = byUs ? "gateway" : "destination";
    this.#destination.openingFailed(this, fault, { source, timedOut, ...(cause === undefined ? {} : { cause }) });
  }
}

function sessionOptions(maxHeaderListSize: number) {
  return {
    settings: { enablePush: false, initialWindowSize: streamWindow, maxHeaderListSize },
    maxHeaderListPairs: maximumFields,
    // Megabytes; bounded by streams and their windows.
    maxSessionMemory: 1000,
    maxSettings: 32,
    maxOutstandingPings: 10,
    // A client's repeated field is passed on.
    strictSingleValueFields: false,
    // nghttp2 would leave out fields with blanks around their values, without a word: `responseLines` trims them.
    strictFieldWhitespaceValidation: false,
  };
}
