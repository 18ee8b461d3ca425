import type { ConfigChangeListener } from "@proxy/config";
import { clientAddressOf, type BadRequestError, type Exchange, type ExchangeHandler } from "@proxy/http";
import { presentedExchange, type ProxyContext, type Step } from "@proxy/pipeline";
import type { AccessLogEntry } from "./access-log-entry.ts";
import type { MaskedParameters } from "./masked-parameters.ts";

/** Ends of one thing: the front server's handler, which knows when a request is over, and a step, which knows its route. */
export interface RequestRecorder {
  /** `handle`, with an entry for each request when it is over. */
  wrap(handle: ExchangeHandler): ExchangeHandler;
  /** An entry for what a front server refused, unless it belongs to a request that has an entry of its own. */
  refused(error: BadRequestError, connectionId: number): void;
  /** To be the first of the proxy's steps. */
  readonly step: Step;
  /** To be told of configurations: what they say is a secret is none that entries hold. */
  readonly listener: ConfigChangeListener;
}

/** Entries hold no value of a query parameter that `masked` has. */
export function recordRequests(add: (entry: AccessLogEntry) => void, masked: MaskedParameters): RequestRecorder {
  const contexts = new WeakMap<Exchange, ProxyContext>();
  /** How many requests are under way, by connection. */
  const active = new Map<number, number>();
  return {
    wrap: (handle) => (exchange) => {
      const started = performance.now();
      const { id } = exchange.connection;
      active.set(id, (active.get(id) ?? 0) + 1);
      let ended: number | undefined;
      let handled = false;
      const tell = (): void => {
        if (ended === undefined || !handled) return;
        const left = (active.get(id) ?? 1) - 1;
        if (left === 0) active.delete(id);
        else active.set(id, left);
        add(entryOf(exchange, { ctx: contexts.get(exchange), duration: ended - started, masked }));
      };
      exchange.onComplete(() => {
        ended = performance.now();
        tell();
      });
      // A failure is told to the client before the proxy has noted it: the entry waits for both.
      const over = (): void => {
        handled = true;
        tell();
      };
      const pending = handle(exchange);
      if (pending === undefined) over();
      else return pending.finally(over);
    },
    refused(error, connectionId) {
      if (!active.has(connectionId)) add(unreadableRequest(error));
    },
    listener: { loaded: (configs) => configs.forEach((config) => masked.add(config)) },
    step: {
      name: "access-log",
      run(ctx, next) {
        contexts.set(presentedExchange(ctx.exchange), ctx);
        return next(ctx);
      },
    },
  };
}

/** The entry for bytes that were refused before they were a request. */
function unreadableRequest(error: BadRequestError): AccessLogEntry {
  return {
    time: Date.now(),
    duration: undefined,
    remoteAddress: undefined,
    request: undefined,
    status: error.status,
    route: undefined,
    cluster: undefined,
    destination: undefined,
    attempts: undefined,
    error: error.code,
  };
}

interface RequestFacts {
  readonly ctx: ProxyContext | undefined;
  readonly duration: number;
  readonly masked: MaskedParameters;
}

function entryOf(exchange: Exchange, { ctx, duration, masked }: RequestFacts): AccessLogEntry {
  const { request } = exchange;
  const referer = request.headers.get("referer");
  return {
    time: Date.now(),
    duration,
    remoteAddress: clientAddressOf(exchange),
    request: {
      method: request.method,
      target: masked.inTarget(request.target, request.path),
      httpVersion: request.httpVersion,
      authority: request.authority,
      referer: referer && masked.inUrl(referer),
      userAgent: request.headers.get("user-agent"),
    },
    status: exchange.response.status,
    route: ctx?.route.config.routeId,
    cluster: ctx?.clusterState?.id,
    destination: ctx?.destination?.id,
    attempts: ctx === undefined || ctx.attempt === 1 ? undefined : ctx.attempt,
    error: ctx?.outcome?.code,
    cache: ctx?.cache,
    delegated: ctx?.delegated === true ? true : undefined,
    webSocket: ctx?.webSocket,
  };
}
