import type { Socket } from "node:net";
import {
  type DestinationCall,
  DestinationError,
  type DestinationHandler,
  type DestinationRequest,
  HeaderList,
  SocketTunnel,
} from "@proxy/http";
import type { Dispatcher } from "undici";
import type { BodyStream, BodyStreamOwner } from "./body-stream.ts";
import type { ConnectionFailure } from "./undici-connection.ts";
import type { UndiciDestination } from "./undici-destination.ts";
import { destinationError } from "./undici-error.ts";

/** What undici really passes: header lines as bytes, not the joined object of its types. */
interface Controller extends Omit<Dispatcher.DispatchController, "rawHeaders" | "rawTrailers"> {
  readonly rawHeaders: readonly Buffer[] | null;
  readonly rawTrailers: readonly Buffer[] | null;
}

/** One request through undici: its handler there, and the call that our side holds. */
export class UndiciCall implements Dispatcher.DispatchHandler, DestinationCall, BodyStreamOwner {
  body: BodyStream | undefined = undefined;
  /** The body is of length 0 and undici not given it. */
  emptyBody = false;
  /** Bytes of the request may have reached the destination. */
  sent = false;
  /** A final response head came. */
  answered = false;
  /** Why the client's body broke off. */
  bodyError: Error | undefined = undefined;
  /** How the connection that serves this call fares. */
  connection: ConnectionFailure | undefined = undefined;
  readonly #method: string;
  readonly #handler: DestinationHandler;
  readonly #destination: UndiciDestination;
  #controller: Controller | undefined = undefined;
  #over = false;
  #paused = false;
  #held: Buffer[] | undefined = undefined;
  #ended: { readonly trailers: HeaderList | undefined } | undefined = undefined;
  #timer: NodeJS.Timeout | undefined = undefined;

  constructor(request: DestinationRequest, handler: DestinationHandler, destination: UndiciDestination) {
    this.#method = request.method;
    this.#handler = handler;
    this.#destination = destination;
  }

  // The call

  pause(): void {
    this.#paused = true;
    this.#controller?.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    const held = this.#held;
    if (held !== undefined) {
      this.#held = undefined;
      for (const chunk of held) {
        if (this.#paused) (this.#held ??= []).push(chunk);
        else if (!this.#over) this.#handler.onData(chunk);
      }
    }
    if (this.#over || this.#paused) return;
    if (this.#ended === undefined) this.#controller?.resume();
    else this.#end(this.#ended.trailers);
  }

  abort(cause: Error): void {
    if (this.#over) return;
    this.#finish();
    this.#controller?.abort(cause);
  }

  /** Ends the call before or beside undici. */
  fail(error: DestinationError): void {
    if (this.#over) return;
    this.#finish(error.requestSent);
    this.#handler.onError(error);
  }

  waitAtMost(milliseconds: number): void {
    this.#timer = setTimeout(() => {
      this.fail(this.#destination.error("waited too long for a connection", { timedOut: true }));
    }, milliseconds);
  }

  onBodyBroken(error: Error): void {
    this.bodyError = error;
  }

  // undici's handler

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // Given up while it waited. A throw drops the request and, unlike an abort, leaves the connection alone.
    if (this.#over) throw new Error("given up");
    clearTimeout(this.#timer);
    this.#controller = controller as unknown as Controller;
    this.sent = true;
    if (this.#paused) controller.pause();
    // Nothing to send, but whoever owns the source wants it read.
    if (this.emptyBody) this.body?.resume();
    this.#handler.onProgress();
  }

  onBodySent(): void {
    if (!this.#over) this.#handler.onProgress();
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, _: unknown, reason?: string): void {
    if (this.#over) return;
    const headers = decode((controller as unknown as Controller).rawHeaders);
    if (status < 200) {
      this.#handler.onInformational(status, headers);
      return;
    }
    const wrong = faultOf(headers, reason);
    if (wrong !== undefined) {
      this.#handler.onError(this.#cut(wrong));
      return;
    }
    this.answered = true;
    this.#handler.onResponse({ status, reason: reasonOf(reason), headers });
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#over) return;
    if (this.#paused) (this.#held ??= []).push(chunk);
    else this.#handler.onData(chunk);
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    if (this.#over) return;
    const reset = this.connection?.error;
    if (reset !== undefined) {
      this.onResponseError(controller, reset);
      return;
    }
    const raw = (controller as unknown as Controller).rawTrailers;
    const trailers = raw === null || raw.length === 0 ? undefined : decode(raw);
    // undici's parser takes framing in a trailer for that of the connection, and would then refuse the next response on it.
    if (trailers !== undefined && trailers.has("transfer-encoding")) this.connection?.socket?.destroy();
    if (this.#held === undefined) this.#end(trailers);
    else this.#ended = { trailers };
  }

  onRequestUpgrade(controller: Dispatcher.DispatchController, status: number, _: unknown, socket: unknown): void {
    const tunnel = new SocketTunnel((socket as Socket).ref(), []);
    if (this.#over) {
      tunnel.abort(new Error("given up"));
      return;
    }
    const headers = decode((controller as unknown as Controller).rawHeaders);
    this.#finish();
    this.#handler.onUpgrade({ status, headers }, tunnel);
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    if (this.#over) return;
    this.fail(destinationError(error, this, `${this.#method} ${this.#destination.describe()}`));
  }

  /** Closes the connection of an answer that undici took and we do not. */
  #cut(why: string): DestinationError {
    const message = `${this.#method} ${this.#destination.describe()} failed: ${why}`;
    const error = new DestinationError(message, { step: "response-head", requestSent: true });
    this.abort(error);
    return error;
  }

  #end(trailers: HeaderList | undefined): void {
    this.#finish();
    this.#handler.onEnd(trailers);
  }

  /** A body of which nothing was asked stays untouched: the same request may go to another destination. */
  #finish(touched = true): void {
    this.#over = true;
    clearTimeout(this.#timer);
    if (touched) this.body?.cancel();
    this.#destination.released();
  }
}

/** Header lines as they came: latin1, blanks at the end removed (RFC 9112, 5). */
function decode(raw: readonly Buffer[] | null): HeaderList {
  const list = new HeaderList();
  if (raw === null) return list;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    list.append((raw[i] as Buffer).toString("latin1"), (raw[i + 1] as Buffer).toString("latin1").trimEnd());
  }
  return list;
}

/** What undici lets through: codings that nobody undoes (RFC 9112, 6.1), and control characters in the phrase. */
function faultOf(headers: HeaderList, reason: string | undefined): string | undefined {
  const coding = headers.indexOf("transfer-encoding");
  if (coding >= 0) {
    if (headers.valueAt(coding).toLowerCase() !== "chunked" || headers.indexOf("transfer-encoding", coding + 1) >= 0) {
      return "a transfer coding other than chunked";
    }
  }
  const phrase = reason ?? "";
  for (let i = 0; i < phrase.length; i++) {
    const code = phrase.charCodeAt(i);
    if (code === 127 || (code < 32 && code !== 9)) return "a control character in the reason phrase";
  }
  return undefined;
}

/** undici reads the phrase as UTF-8: back to the bytes it was, or the standard one when they are lost. */
function reasonOf(text: string | undefined): string | undefined {
  if (text === undefined || text === "" || text.includes("\u{fffd}")) return undefined;
  return Buffer.from(text, "utf8").toString("latin1");
}
