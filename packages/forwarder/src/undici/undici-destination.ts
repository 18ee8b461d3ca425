import {
  type DestinationCall,
  type DestinationClient,
  DestinationError,
  type DestinationHandler,
  type DestinationOrigin,
  type DestinationRequest,
  type HttpClientOptions,
} from "@proxy/http";
import type { Dispatcher, Pool } from "undici";
import { BodyStream } from "./body-stream.ts";
import { UndiciCall } from "./undici-call.ts";

/**
 * The connections to one origin: one `Pool`, and what undici's queue has no limits for. It keeps itself in `inUse`
 * while it has a connection or a request; else it lives as long as somebody holds it.
 */
export class UndiciDestination implements DestinationClient {
  readonly #pool: Pool;
  readonly #origin: DestinationOrigin;
  readonly #options: HttpClientOptions;
  #closed: Promise<void> | undefined;
  /** Requests under way or waiting. */
  #active = 0;
  #connections = 0;
  readonly #inUse: Set<UndiciDestination>;

  constructor(pool: Pool, origin: DestinationOrigin, options: HttpClientOptions, inUse: Set<UndiciDestination>) {
    this.#pool = pool;
    this.#inUse = inUse;
    pool.on("connect", () => this.#count(0, 1));
    pool.on("disconnect", () => this.#count(0, -1));
    this.#origin = origin;
    this.#options = options;
  }

  send(request: DestinationRequest, handler: DestinationHandler): DestinationCall {
    const call = new UndiciCall(request, handler, this);
    if (request.upgrade !== undefined && request.httpVersion === "2" && request.versionPolicy === "RequestVersionExact") {
      this.#count(1, 0);
      call.fail(this.error("an upgrade over HTTP/2 is asked of HTTP/1.1", { versionUnavailable: true }));
      return call;
    }
    const { maxConnections, maxQueuedRequests, queueTimeout } = this.#options;
    const waiting = maxConnections === undefined ? -1 : this.#active - maxConnections;
    if (maxQueuedRequests !== undefined && waiting >= maxQueuedRequests) {
      this.#count(1, 0);
      call.fail(this.error("the queue for a connection is full", { overloaded: true }));
      return call;
    }
    this.#count(1, 0);
    if (queueTimeout !== undefined && waiting >= 0) call.waitAtMost(queueTimeout);
    this.#pool.dispatch(this.#dispatchOptions(request, call), call);
    return call;
  }

  close(): Promise<void> {
    // undici refuses to close twice, or after `destroy`: then there is nothing left to wait for.
    this.#closed ??= this.#pool.close().catch(() => {});
    return this.#closed;
  }

  destroy(cause?: Error): void {
    this.#pool.destroy(cause ?? null).catch(() => {});
  }

  /** A call is over. */
  released(): void {
    this.#count(-1, 0);
  }

  /** An error while a request waits for its connection. */
  error(why: string, more: { overloaded?: boolean; timedOut?: boolean; versionUnavailable?: boolean }): DestinationError {
    const message = `${why} (${this.describe()})`;
    return new DestinationError(message, { step: "connect", source: "gateway", requestSent: false, ...more });
  }

  describe(): string {
    return `${this.#origin.scheme}://${this.#origin.host}:${this.#origin.port}`;
  }

  #count(requests: number, connections: number): void {
    this.#active += requests;
    this.#connections += connections;
    if (this.#active + this.#connections > 0) this.#inUse.add(this);
    else this.#inUse.delete(this);
  }

  #dispatchOptions(request: DestinationRequest, call: UndiciCall): Dispatcher.DispatchOptions {
    const headers = request.headers.toRaw();
    const { body } = request;
    let stream: BodyStream | null = null;
    if (body !== undefined) {
      if (body.length !== undefined) headers.push("Content-Length", String(body.length));
      const source = new BodyStream(body, call);
      call.body = source;
      call.emptyBody = body.length === 0;
      if (!call.emptyBody) stream = source;
    }
    return {
      path: request.target,
      method: request.method as Dispatcher.HttpMethod,
      headers,
      body: stream,
      upgrade: request.upgrade ?? null,
      ...(request.singleUse === true && { reset: true }),
      // Any constant: keeps undici from opening a new connection for each Host.
      servername: this.#origin.host,
    } as Dispatcher.DispatchOptions;
  }
}
