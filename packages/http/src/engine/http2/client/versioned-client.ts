import {
  DestinationError,
  type DestinationCall,
  type DestinationClient,
  type DestinationHandler,
  type DestinationOrigin,
  type DestinationRequest,
  type HttpClient,
} from "../../../destination-client.ts";
import { EngineClient, type EngineClientOptions } from "../../client/engine-client.ts";
import type { EngineDestination } from "../../client/engine-destination.ts";
import { Http2Destination } from "./http2-destination.ts";
import { versionPlan } from "./version-plan.ts";

/**
 * A client that speaks HTTP/1.1 (by the engine) and HTTP/2, both by engines of our own, as `httpVersion` and `versionPolicy` of each
 * request say:
 *
 * | version, policy | https | http |
 * | --- | --- | --- |
 * | 1.0 or 1.1, OrLower or Exact | HTTP/1.1 | HTTP/1.1 |
 * | 1.0 or 1.1, OrHigher | ALPN: HTTP/2 or 1.1 | HTTP/1.1 |
 * | 2, OrLower (the default) | ALPN: HTTP/2 or 1.1 | HTTP/1.1 |
 * | 2, Exact or OrHigher | ALPN: HTTP/2 | HTTP/2 by prior knowledge |
 * | 3, OrLower | ALPN: HTTP/2 or 1.1 | HTTP/1.1 |
 * | 3, Exact or OrHigher | fails: there is no HTTP/3 | fails |
 *
 * Requests of single use go over HTTP/1.1 wherever the policy lets them, and fail otherwise.
 *
 * A connection on which TLS settled on HTTP/1.1 is used by the engine; an origin of that kind is asked again once it has no
 * connection left. Both share the settings, except that `maxConnections` is for HTTP/1.1, whose requests need one each.
 * Requests that wait for an HTTP/2 stream are bounded by `maxQueuedRequests` and `queueTimeout` where no further connection may be
 * opened for them. Throws as `createEngineClient` does.
 */
export function createVersionedClient(options: EngineClientOptions = {}): HttpClient {
  return new VersionedClient(options);
}

/** Its destinations are held by those of the engine, which live as long as somebody holds them or a socket is open. */
class VersionedClient implements HttpClient {
  readonly #engine: EngineClient;
  readonly #multiple: boolean;
  readonly #destinations = new Set<WeakRef<VersionedDestination>>();
  readonly #forgotten = new FinalizationRegistry<WeakRef<VersionedDestination>>((held) => {
    this.#destinations.delete(held);
  });
  #closing = false;

  constructor(options: EngineClientOptions) {
    // Whether an https origin speaks HTTP/1.1 is not known yet.
    this.#engine = new EngineClient(options, ({ scheme }) => scheme === "http");
    this.#multiple = options.multipleHttp2Connections ?? true;
  }

  destination(origin: DestinationOrigin): DestinationClient {
    const engine = this.#engine.destination(origin);
    if (engine.owner instanceof VersionedDestination) return engine.owner;
    const created = new VersionedDestination(engine, this.#multiple);
    engine.owner = created;
    const held = new WeakRef(created);
    this.#destinations.add(held);
    this.#forgotten.register(created, held);
    if (this.#closing) void created.close();
    else created.prewarm();
    return created;
  }

  async close(): Promise<void> {
    this.#closing = true;
    await Promise.all([...Array.from(this.#destinations, (held) => held.deref()?.close()), this.#engine.close()]);
  }

  destroy(cause?: Error): void {
    this.#closing = true;
    for (const held of this.#destinations) held.deref()?.destroy(cause);
    this.#engine.destroy(cause);
  }
}

/** One origin in all versions. */
class VersionedDestination implements DestinationClient {
  readonly #http1: EngineDestination;
  readonly #http2: Http2Destination;
  readonly #scheme: "http" | "https";
  /** What TLS settled on last. */
  #settledOnHttp1 = false;

  constructor(http1: EngineDestination, multipleConnections: boolean) {
    this.#http1 = http1;
    this.#scheme = http1.origin.scheme;
    this.#http2 = new Http2Destination(http1, {
      multipleConnections,
      onNegotiated: (version) => {
        this.#settledOnHttp1 = version === "1.1";
        if (this.#settledOnHttp1) this.#http1.prewarm();
      },
    });
  }

  send(request: DestinationRequest, handler: DestinationHandler): DestinationCall {
    switch (versionPlan(request, this.#scheme)) {
      case "1.1":
        return this.#http1.send(request, handler);
      case "2":
        return this.#http2.send(request, handler);
      case "negotiated":
        return this.#sendNegotiated(request, handler);
      default: {
        const error = { step: "request", source: "gateway", requestSent: false, versionUnavailable: true } as const;
        const fault = request.singleUse === true ? "a connection of its own is had over HTTP/1.1 only" : "HTTP/3 is not supported";
        handler.onError(new DestinationError(`${this.#http1.name}: ${fault}`, error));
        return overCall;
      }
    }
  }

  prewarm(): void {
    if (this.#scheme === "https" && this.#http1.options.prewarm > 0) this.#http2.prewarm();
  }

  async close(): Promise<void> {
    // In this order: what HTTP/2 settles on may be given to the engine.
    const http2 = this.#http2.close();
    await Promise.all([http2, this.#http1.close()]);
  }

  destroy(cause?: Error): void {
    this.#http2.destroy(cause);
    this.#http1.destroy(cause);
  }

  #sendNegotiated(request: DestinationRequest, handler: DestinationHandler): DestinationCall {
    // An Upgrade is of HTTP/1.1: who means an extended CONNECT asks for HTTP/2 exactly.
    if (request.upgrade !== undefined) return this.#http1.send(request, handler);
    if (this.#settledOnHttp1 && this.#http1.connected) return this.#http1.send(request, handler);
    return this.#http2.sendOver(request, handler, true);
  }
}

const overCall: DestinationCall = {
  pause() {},
  resume() {},
  abort() {},
};
