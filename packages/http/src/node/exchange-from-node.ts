import { ServerResponse, type IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { Socket } from "node:net";
import type { Exchange } from "../exchange.ts";
import { hasListElement } from "../field-grammar.ts";
import { defaultServerLimits, type ServerLimits } from "../server-limits.ts";
import { NodeConnection } from "./node-connection.ts";
import { NodeExchange } from "./node-exchange.ts";
import { readRequestHead } from "./read-request-head.ts";
import { UpgradeIntake } from "./upgrade-intake.ts";

/** How to wrap a request of a server that is not ours. */
export interface ExchangeFromNodeOptions {
  /**
   * The request target. Default: `req.originalUrl` (which express keeps when it strips a mount path from `req.url`), else
   * `req.url`. Give `req.url` to forward without the mount path.
   */
  readonly target?: string | undefined;
  /** Limits of the request head and body. Default: those of `defaultServerLimits`. */
  readonly limits?:
    | Partial<Pick<ServerLimits, "maxRequestLineSize" | "maxRequestHeadersTotalSize" | "maxRequestHeaderCount" | "maxRequestBodySize">>
    | undefined;
}

/**
 * Wraps one request and its response as an exchange, inside any `node:http` server: a bare handler, express (`req, res`),
 * fastify (`request.raw, reply.raw` after `reply.hijack()`). The response is the exchange's from here on. A body parser that
 * ran before has taken the body: reading it then fails with an `ExchangeStateError`.
 *
 * @throws {BadRequestError} when the request is refused; answer with its `status`.
 */
export function exchangeFromNode(req: IncomingMessage, res: ServerResponse, options: ExchangeFromNodeOptions = {}): Exchange {
  const limits = withDefaults(options);
  const request = readRequestHead(req, schemeOf(req.socket), options.target ?? targetOf(req), limits);
  return new NodeExchange(NodeConnection.of(req.socket), req, res, request, limits);
}

/**
 * The same for what a server's `upgrade` event gives. Not accepted, the upgrade is an ordinary exchange whose response
 * closes the connection.
 *
 * @throws {BadRequestError} when the request is refused; answer with its `status` and close the socket.
 */
export function exchangeFromUpgrade(
  req: IncomingMessage, socket: Duplex, head: Uint8Array, options: ExchangeFromNodeOptions = {},
): Exchange {
  if (!(socket instanceof Socket)) throw new TypeError("an upgrade needs a network socket");
  const limits = withDefaults(options);
  const request = readRequestHead(req, schemeOf(socket), options.target ?? targetOf(req), limits);
  return upgradeExchange(req, socket, head, { request, maxRequestBodySize: limits.maxRequestBodySize });
}

/** For the server of this package too: an exchange over a socket that `node:http` has let go of. */
export function upgradeExchange(
  req: IncomingMessage,
  socket: Socket,
  head: Uint8Array,
  options: {
    readonly request: ReturnType<typeof readRequestHead>;
    readonly maxRequestBodySize: number | undefined;
    readonly mayUpgrade?: (() => boolean) | undefined;
    readonly onUpgraded?: (() => void) | undefined;
  },
): NodeExchange {
  const intake = new UpgradeIntake(socket, head);
  const res = new ServerResponse(req);
  res.shouldKeepAlive = false;
  res.assignSocket(socket);
  const drained = (): void => void res.emit("drain");
  socket.on("drain", drained);
  const exchange = new NodeExchange(NodeConnection.of(socket), req, res, options.request, {
    maxRequestBodySize: options.maxRequestBodySize,
    mayUpgrade: options.mayUpgrade,
    onUpgraded: options.onUpgraded,
    takeSocket() {
      socket.off("drain", drained);
      res.detachSocket(socket);
      return intake.take();
    },
  });
  res.on("finish", () => {
    intake.drop();
    res.detachSocket(socket);
  });
  return exchange;
}

/**
 * Whether a request asks to leave HTTP in a way that an exchange offers (RFC 9110, 7.8): HTTP/1.1, named in Connection,
 * without a body, and not to another version of HTTP or to TLS, which concern the hop only.
 */
export function asksForUpgrade(req: IncomingMessage): boolean {
  const { upgrade, connection } = req.headers;
  if (req.httpVersion !== "1.1" || upgrade === undefined || connection === undefined) return false;
  if (!hasListElement(connection, "upgrade") || req.headers["transfer-encoding"] !== undefined) return false;
  if ((req.headers["content-length"] ?? "0") !== "0") return false;
  return !/^(h2c|tls\/|http\/)/i.test(upgrade.trim());
}

export function schemeOf(socket: object): "http" | "https" {
  return "encrypted" in socket ? "https" : "http";
}

function targetOf(req: IncomingMessage): string {
  const original: unknown = "originalUrl" in req ? req.originalUrl : undefined;
  return typeof original === "string" ? original : (req.url as string);
}

function withDefaults({ limits }: ExchangeFromNodeOptions) {
  return { ...defaultServerLimits, ...limits };
}
