import type { BadRequestError, Exchange, ExchangeHandler } from "@proxy/http";
import type { AccessLogEntry } from "./access-log-entry.ts";

/** `handle`, with an entry for each request when it is over. */
export function withAccessLog(handle: ExchangeHandler, add: (entry: AccessLogEntry) => void): ExchangeHandler {
  return (exchange) => {
    const started = performance.now();
    exchange.onComplete(() => add(entryOf(exchange, started)));
    return handle(exchange);
  };
}

/** The entry for bytes that were refused before they were a request. */
export function unreadableRequest(error: BadRequestError): AccessLogEntry {
  return {
    time: Date.now(),
    duration: undefined,
    remoteAddress: undefined,
    request: undefined,
    status: error.status,
    route: undefined,
    cluster: undefined,
    destination: undefined,
    error: error.message,
  };
}

function entryOf(exchange: Exchange, started: number): AccessLogEntry {
  const { request } = exchange;
  return {
    time: Date.now(),
    duration: performance.now() - started,
    remoteAddress: exchange.connection.remoteAddress,
    request: {
      method: request.method,
      target: request.target,
      httpVersion: request.httpVersion,
      authority: request.authority,
      referer: request.headers.get("referer"),
      userAgent: request.headers.get("user-agent"),
    },
    status: exchange.response.status,
    route: undefined,
    cluster: undefined,
    destination: undefined,
    error: undefined,
  };
}
