import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import {
  BadRequestError,
  type Exchange,
  exchangeFromNode,
  type ExchangeFromNodeOptions,
  exchangeFromUpgrade,
  ExchangeStateError,
  HeaderList,
  type HttpClient,
  reasonPhrase,
} from "@proxy/http";
import type { Destination } from "./destination.ts";
import { forward } from "./forward.ts";
import type { ForwardOptions } from "./forward-options.ts";
import { ForwarderError } from "./forwarder-error.ts";

/** Settings of `forwardNode`: those of `forward`, and how the request is taken in. */
export interface ForwardNodeOptions extends ForwardOptions, ExchangeFromNodeOptions {}

/**
 * `forward` inside any `node:http` server, express or fastify: sends `req` to `destination` and its response to
 * `res`. Header fields that were set on `res` before go to the client in front of the destination's. Nothing may
 * have read the body (no body parser in front of it), unless `options.body` gives it again: `bytesBody(req.rawBody)`.
 *
 * Resolves as `forward` does; a request that no proxy can pass on (an invalid target or Host, both framings) is
 * answered with its 4xx and resolves with `RequestCreation`. Rejects when `res` is answered already.
 */
export async function forwardNode(
  req: IncomingMessage,
  res: ServerResponse,
  destination: string | Destination,
  client: HttpClient,
  options: ForwardNodeOptions = {},
): Promise<ForwarderError | undefined> {
  if (res.headersSent) throw new ExchangeStateError("the response is answered already");
  const responseHeaders = takeHeaders(res, options.responseHeaders);
  let exchange: Exchange;
  try {
    exchange = exchangeFromNode(req, res, options);
  } catch (cause) {
    if (!(cause instanceof BadRequestError)) throw cause;
    res.shouldKeepAlive = false;
    res.writeHead(cause.status, reasonPhrase(cause.status), ["Content-Length", "0"]);
    res.end();
    req.resume();
    return refusal(cause);
  }
  return forward(exchange, destination, client, { ...options, responseHeaders });
}

/**
 * The same for the `upgrade` event of a `node:http` server: WebSocket and SPDY are forwarded as a tunnel, other
 * upgrades as the ordinary request that they also are. Without a listener for this event Node drops the `Upgrade`
 * field, and a handshake reaches the destination as a plain GET.
 */
export async function forwardNodeUpgrade(
  req: IncomingMessage,
  connection: { readonly socket: Duplex; readonly head: Uint8Array },
  destination: string | Destination,
  client: HttpClient,
  options: ForwardNodeOptions = {},
): Promise<ForwarderError | undefined> {
  let exchange: Exchange;
  try {
    exchange = exchangeFromUpgrade(req, connection.socket, connection.head, options);
  } catch (cause) {
    if (!(cause instanceof BadRequestError)) throw cause;
    const { socket } = connection;
    socket.on("error", () => {});
    const phrase = reasonPhrase(cause.status);
    socket.end(`HTTP/1.1 ${cause.status} ${phrase}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
    return refusal(cause);
  }
  return forward(exchange, destination, client, options);
}

/** Every outgoing message has it; Node's types name it for requests only. */
interface RawNames extends ServerResponse {
  getRawHeaderNames(): string[];
}

function refusal(cause: BadRequestError): ForwarderError {
  const { status } = cause;
  const message = `RequestCreation: ${cause.message}`;
  return new ForwarderError("RequestCreation", message, { source: "client", retry: "safe", status, cause });
}

/** Takes what was set on a response before over into a list: from here on the fields are the forwarding's. */
function takeHeaders(res: ServerResponse, own: HeaderList | undefined): HeaderList | undefined {
  const names = (res as RawNames).getRawHeaderNames();
  if (names.length === 0) return own;
  const taken = new HeaderList();
  for (const name of names) {
    const value = res.getHeader(name);
    for (const line of Array.isArray(value) ? value : [value]) taken.append(name, String(line));
    res.removeHeader(name);
  }
  if (own !== undefined) for (let i = 0; i < own.size; i++) taken.appendFrom(own, i);
  return taken;
}
