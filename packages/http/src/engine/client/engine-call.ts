import {
  DestinationError,
  type DestinationCall,
  type DestinationHandler,
  type DestinationRequest,
} from "../../destination-client.ts";
import type { ResponseHead, Tunnel } from "../../exchange.ts";
import type { HeaderList } from "../../header-list.ts";
import type { ClientConnection } from "./client-connection.ts";
import type { EngineDestination } from "./engine-destination.ts";
import { RequestBodyWriter } from "./request-body-writer.ts";

/**
 * One request from `send` to its final call: its place in the queue, the connection that serves it, and the one
 * gate to its handler. A handler that throws ends its own request and nothing else. The plain fields belong to
 * the engine.
 */
export class EngineCall implements DestinationCall {
  readonly request: DestinationRequest;
  readonly handler: DestinationHandler;
  readonly destination: EngineDestination;
  /** Start line and fields as they go on the wire. */
  readonly head: string;
  readonly body: RequestBodyWriter | undefined;
  /** The connection that serves this call. */
  connection: ClientConnection | undefined;
  /** The connection being opened for this call. */
  attempt: ClientConnection | undefined;
  /** The final call of the handler was made, or the caller gave up: nothing is told any more. */
  done = false;
  paused = false;
  /** It died once on a used connection; the next one is fresh, and its failure is final. */
  resent = false;
  queued = false;
  queuedSince = 0;
  next: EngineCall | undefined;
  previous: EngineCall | undefined;

  constructor(destination: EngineDestination, request: DestinationRequest, handler: DestinationHandler, head: string) {
    this.destination = destination;
    this.request = request;
    this.handler = handler;
    this.head = head;
    this.body = request.body === undefined ? undefined : new RequestBodyWriter(this, request.body);
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    this.connection?.turn.goOn();
  }

  abort(_cause: Error): void {
    if (this.done) return;
    this.done = true;
    // A body that nobody has read is left to the caller, who may hand it to another destination.
    if (this.body?.started === true) this.body.drop();
    this.destination.giveUp(this);
  }

  /**
   * Whether it may be sent again after a used connection died without a byte of an answer: once, when the
   * destination cannot have the whole request, or when doing it twice changes nothing (RFC 9110, 9.2.2).
   */
  get canResend(): boolean {
    if (this.resent || this.done) return false;
    return this.body === undefined ? isIdempotent(this.request.method) : !this.body.started;
  }

  /** Whether it may be told a response as a whole. */
  get takesWhole(): boolean {
    return this.handler.onWholeResponse !== undefined && !this.done && !this.paused;
  }

  tellProgress(): void {
    if (this.done) return;
    try {
      this.handler.onProgress();
    } catch (error) {
      this.#handlerFailed(error);
    }
  }

  tellInformational(status: number, headers: HeaderList): void {
    if (this.done) return;
    try {
      this.handler.onInformational(status, headers);
    } catch (error) {
      this.#handlerFailed(error);
    }
  }

  tellResponse(head: ResponseHead): void {
    if (this.done) return;
    try {
      this.handler.onResponse(head);
    } catch (error) {
      this.#handlerFailed(error);
    }
  }

  /** True when the handler holds no reference to `chunk`. */
  tellData(chunk: Uint8Array): boolean {
    try {
      return this.handler.onData(chunk) === true;
    } catch (error) {
      this.#handlerFailed(error);
      return false;
    }
  }

  /** Whether a small piece of the body may come as text. */
  get takesText(): boolean {
    return this.handler.takesText === true;
  }

  /** As `tellData`, while `takesText`. */
  tellText(text: string): void {
    try {
      this.handler.onText?.(text);
    } catch (error) {
      this.#handlerFailed(error);
    }
  }

  /** The response is complete. The connection must have been let go of before. */
  tellEnd(trailers: HeaderList | undefined): void {
    if (this.done) return;
    this.done = true;
    this.body?.drop();
    try {
      this.handler.onEnd(trailers);
    } catch {
      // The call is over: there is nobody left to tell.
    }
  }

  /** Head and body came at once. The connection must have been let go of before. */
  tellWhole(head: ResponseHead, text: string): void {
    if (this.done) return;
    this.done = true;
    this.body?.drop();
    try {
      this.handler.onWholeResponse?.(head, text);
    } catch (cause) {
      this.done = false;
      this.fail(this.#handlerError(cause, true));
    }
  }

  /** The connection is a tunnel from here on. */
  tellUpgrade(head: ResponseHead, tunnel: Tunnel): void {
    if (this.done) return;
    this.done = true;
    this.body?.drop();
    try {
      this.handler.onUpgrade(head, tunnel);
    } catch (error) {
      tunnel.abort(asError(error));
    }
  }

  /** The one final failure. The connection must have been let go of before. */
  fail(error: DestinationError): void {
    if (this.done) return;
    this.done = true;
    if (this.body?.started === true) this.body.drop();
    try {
      this.handler.onError(error);
    } catch {
      // As in tellEnd.
    }
  }

  #handlerFailed(error: unknown): void {
    if (this.done) return;
    this.destination.stop(this, this.#handlerError(error, this.connection !== undefined));
  }

  #handlerError(cause: unknown, requestSent: boolean): DestinationError {
    return new DestinationError(`${this.destination.name}: the handler of the response failed`, {
      step: requestSent ? "response-body" : "connect",
      source: "gateway",
      requestSent,
      cause,
    });
  }
}

export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

/** Whether doing it twice is the same as once (RFC 9110, 9.2.2). */
export function isIdempotent(method: string): boolean {
  return method === "GET" || method === "HEAD" || method === "OPTIONS" || method === "PUT" || method === "DELETE"
    || method === "TRACE";
}
