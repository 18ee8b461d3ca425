/** The doors from `node:http` into a proxy: requests of any Node server become exchanges here. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import {
  BadRequestError,
  exchangeFromNode,
  exchangeFromUpgrade,
  HeaderList,
  parseRequestTarget,
  reasonPhrase,
  type ExchangeHandler,
} from "@proxy/http";
import type { RouteRequest } from "./routing/index.ts";

/** A request listener of `node:http`, and a middleware of express (`next`). */
export type NodeHandler = (request: IncomingMessage, response: ServerResponse, next?: (error?: unknown) => void) => void;

/** A listener of the `upgrade` event of a `node:http` server. */
export type NodeUpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** What the doors need of the proxy behind them. */
export interface NodeHandlerOptions {
  readonly handle: ExchangeHandler;
  readonly hasRoute: (request: RouteRequest) => boolean;
  readonly onFault: (error: Error) => void;
}

export function createNodeHandler({ handle, hasRoute, onFault }: NodeHandlerOptions): NodeHandler {
  return (request, response, next) => {
    // Asked before the request is made an exchange: one that is passed on must be untouched.
    if (next !== undefined) {
      const head = routeRequestOf(request);
      if (head !== undefined && !hasRoute(head)) {
        next();
        return;
      }
    }
    try {
      void handle(exchangeFromNode(request, response));
    } catch (error) {
      refuse(request, response, error, onFault);
    }
  };
}

export function createNodeUpgradeHandler({ handle, onFault }: NodeHandlerOptions): NodeUpgradeHandler {
  return (request, socket, head) => {
    try {
      void handle(exchangeFromUpgrade(request, socket, head));
    } catch (error) {
      const status = statusOf(error, onFault);
      socket.on("error", () => {});
      socket.end(`HTTP/1.1 ${status} ${reasonPhrase(status)}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`, "latin1");
    }
  };
}

/** What routing looks at; undefined for a target that will be refused. */
function routeRequestOf(request: IncomingMessage): RouteRequest | undefined {
  const method = request.method ?? "";
  const original: unknown = "originalUrl" in request ? request.originalUrl : undefined;
  const target = parseRequestTarget(method, typeof original === "string" ? original : (request.url ?? ""));
  if (target.form === "invalid" || target.form === "authority") return undefined;
  const scheme = "encrypted" in request.socket ? "https" : "http";
  const authority = target.form === "absolute" ? target.authority : (request.headers.host ?? "");
  const headers = HeaderList.fromRaw(request.rawHeaders);
  return { method, path: target.path, query: target.query, scheme, authority, headers };
}

function refuse(request: IncomingMessage, response: ServerResponse, error: unknown, onFault: (error: Error) => void): void {
  const status = statusOf(error, onFault);
  request.resume();
  response.on("error", () => {});
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.shouldKeepAlive = false;
  response.writeHead(status, reasonPhrase(status), { "Content-Length": "0" });
  response.end();
}

/** A malformed request is the client's affair; anything else is told. */
function statusOf(error: unknown, onFault: (error: Error) => void): number {
  if (error instanceof BadRequestError) return error.status;
  onFault(error instanceof Error ? error : new Error(String(error)));
  return 500;
}
