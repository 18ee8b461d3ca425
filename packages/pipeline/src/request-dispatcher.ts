/**
 * From an exchange to the chain of steps of its route: the address of the client, endpoints, the route table, and the end of each
 * request, whatever its steps do.
 */
import { Completion, type Exchange, type ExchangeHandler } from "@proxy/http";
import { answerFailure, answerMethodNotAllowed, answerStatus } from "./answer.ts";
import type { clientBehind } from "./client-address.ts";
import { ProxyContext } from "./context.ts";
import type { ErrorPages } from "./error-pages/error-pages.ts";
import { PagedExchange } from "./error-pages/paged-exchange.ts";
import type { ProxyLogger } from "./logger.ts";
import type { RouteMatchResult, RouteRequest } from "./routing/index.ts";
import { emptySnapshot, type ServingSnapshot } from "./serving-snapshot.ts";
import type { ProxyState } from "./state/proxy-state.ts";
import type { RouteSlot } from "./state/route-compiler.ts";

export interface DispatcherOptions {
  readonly logger: ProxyLogger;
  /** What contexts show of the proxy. */
  readonly state: ProxyState;
  /** Undefined where no peer is trusted. */
  readonly clientBehind: ReturnType<typeof clientBehind> | undefined;
  readonly errorPages: ErrorPages | undefined;
}

/** Serves each request from the snapshot that was in force when it came. */
export class RequestDispatcher {
  /** What all requests are served from; replaced as one. */
  snapshot: ServingSnapshot = emptySnapshot;
  readonly #logger: ProxyLogger;
  readonly #state: ProxyState;
  readonly #clientBehind: DispatcherOptions["clientBehind"];
  readonly #errorPages: ErrorPages | undefined;
  #closed = false;

  constructor({ logger, state, clientBehind, errorPages }: DispatcherOptions) {
    this.#logger = logger;
    this.#state = state;
    this.#clientBehind = clientBehind;
    this.#errorPages = errorPages;
  }

  /** From now on all get 503. */
  close(): void {
    this.#closed = true;
  }

  /** Whether anything but the 404 of the proxy answers `request`. */
  hasRoute(request: RouteRequest): boolean {
    return this.snapshot.endpoints?.has(request.path) === true || this.snapshot.table.match(request).kind !== "not-found";
  }

  handle(exchange: Exchange): void | Promise<void> {
    if (this.#closed) {
      answerStatus(this.#paged(exchange, this.#errorPages), 503);
      return;
    }
    if (this.#clientBehind !== undefined) exchange.clientAddress = this.#clientBehind(exchange);
    const { request } = exchange;
    const endpoint = this.snapshot.endpoints?.get(request.path);
    if (endpoint !== undefined) return this.#answerAt(endpoint, this.#paged(exchange, this.#errorPages));
    const found = this.snapshot.table.match(request.method === "CONNECT" ? asRouted(exchange) : request);
    return this.#serve(exchange, found);
  }

  async #answerAt(endpoint: ExchangeHandler, exchange: Exchange): Promise<void> {
    try {
      await endpoint(exchange);
      const { response } = exchange;
      if (!response.started && !response.ended) throw new Error("an endpoint ended without an answer");
    } catch (error) {
      this.#logger.event("error", "endpoint-failed", { path: exchange.request.path, error });
      answerFailure(exchange, error);
    }
  }

  #serve(exchange: Exchange, found: RouteMatchResult<RouteSlot>): void | Promise<void> {
    if (found.kind === "not-found") {
      answerStatus(this.#paged(exchange, this.#errorPages), 404);
      return;
    }
    if (found.kind === "method-not-allowed") {
      answerMethodNotAllowed(this.#paged(exchange, this.#errorPages), found.allow);
      return;
    }
    const { model, run } = found.payload;
    if (model === undefined || run === undefined) throw new Error("a route table is in use that was not filled");
    const ctx = new ProxyContext(this.#paged(exchange, model.errorPages ?? this.#errorPages), model, found, this.#state);
    let pending: void | Promise<void>;
    try {
      pending = run(ctx);
    } catch (error) {
      this.#fail(ctx, error);
      ctx.release();
      return;
    }
    if (pending instanceof Completion) {
      // Forwarded, and no step waits for the end.
      pending.tell(ctx);
      return pending;
    }
    if (pending !== undefined) return this.#finish(ctx, pending);
    if (ctx.destination === undefined) this.#checkAnswered(ctx);
    ctx.release();
  }

  #paged(exchange: Exchange, pages: ErrorPages | undefined): Exchange {
    return pages === undefined ? exchange : new PagedExchange(exchange, pages);
  }

  async #finish(ctx: ProxyContext, pending: Promise<void>): Promise<void> {
    try {
      await pending;
      if (ctx.destination === undefined) this.#checkAnswered(ctx);
    } catch (error) {
      this.#fail(ctx, error);
    } finally {
      ctx.release();
    }
  }

  /** The steps are over and the request was not forwarded: nobody is left who would answer. */
  #checkAnswered(ctx: ProxyContext): void {
    const { response } = ctx.exchange;
    if (!response.started && !response.ended) this.#fail(ctx, new Error("the steps ended without an answer"));
  }

  #fail(ctx: ProxyContext, error: unknown): void {
    this.#logger.event("error", "step-failed", { route: ctx.route.config.routeId, error });
    answerFailure(ctx.exchange, error);
  }
}

/** A WebSocket is the same request over either version: GET, which HTTP/2 writes as CONNECT with a protocol (RFC 8441, 4). */
function asRouted({ request, features }: Exchange): RouteRequest {
  return features.upgrade?.kind === "http2" ? { ...request, method: "GET" } : request;
}
