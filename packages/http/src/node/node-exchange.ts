import type { IncomingMessage, ServerResponse } from "node:http";
import type { BodySource } from "../body.ts";
import { BadRequestError, ClientGoneError, ExchangeStateError } from "../errors.ts";
import type { ConnectionInfo, Exchange, ExchangeFeatures, RequestHead, ResponseHead, Tunnel, UpgradeFeature } from "../exchange.ts";
import { hasListElement } from "../field-grammar.ts";
import { HeaderList } from "../header-list.ts";
import { reasonPhrase } from "../reason-phrase.ts";
import type { NodeConnection } from "./node-connection.ts";
import { NodeRequestBody } from "./node-request-body.ts";
import { checkLines, NodeResponse } from "./node-response.ts";
import { SocketTunnel } from "./socket-tunnel.ts";

/** An unread rest of a body up to this size is drained; for a larger one the connection is closed. */
const drainableRest = 65_536;

export interface NodeExchangeOptions {
  readonly maxRequestBodySize: number | undefined;
  /** No request after this one: its answer closes the connection. */
  readonly last?: boolean | undefined;
  /** Given when the client asked to leave HTTP: takes the socket over and gives the bytes that came early. */
  readonly takeSocket?: (() => { readonly early: readonly Uint8Array[]; readonly peerEnded: boolean }) | undefined;
  /** False refuses one more upgraded connection. */
  readonly mayUpgrade?: (() => boolean) | undefined;
  /** Told at once when the connection has become an upgraded one. Must not throw. */
  readonly onUpgraded?: (() => void) | undefined;
}

/** What Node remembers of `writeContinue`; not in its types. */
interface ContinuedResponse extends ServerResponse {
  readonly _sent100?: boolean;
}

/** One pair of `IncomingMessage` and `ServerResponse` as an exchange. */
export class NodeExchange implements Exchange {
  readonly request: RequestHead;
  readonly connection: ConnectionInfo;
  readonly body: BodySource | undefined;
  readonly response: NodeResponse;
  clientAddress: string | undefined = undefined;
  readonly features: ExchangeFeatures;
  /** The body with its counters, for the minimum data rate. */
  readonly nodeBody: NodeRequestBody | undefined;
  readonly #node: NodeConnection;
  readonly #res: ServerResponse;
  readonly #options: NodeExchangeOptions;
  #continueDue: boolean;
  #over = false;
  #gone: Error | undefined;
  #goneListeners: ((cause: Error) => void)[] = [];
  #completeListeners: (() => void)[] = [];

  constructor(node: NodeConnection, req: IncomingMessage, res: ServerResponse, request: RequestHead, options: NodeExchangeOptions) {
    this.#node = node;
    this.#res = res;
    this.#options = options;
    this.request = request;
    this.connection = node.info;
    const { headers } = request;
    const isHttp10 = request.httpVersion === "1.0";
    // A server without a listener for `checkContinue` has sent it before it told of the request.
    const isSent = (res as ContinuedResponse)._sent100 === true;
    this.#continueDue = !isHttp10 && !isSent && hasListElement(headers.get("expect") ?? "", "100-continue");
    const length = headers.get("content-length");
    if (length !== undefined || headers.has("transfer-encoding")) {
      const size = length === undefined ? undefined : Number(length);
      const onFirstRead = (): void => {
        if (!this.response.started) this.#sendContinue();
      };
      this.nodeBody = new NodeRequestBody(req, { length: size, maximum: options.maxRequestBodySize, onFirstRead });
    }
    this.body = this.nodeBody;
    this.response = new NodeResponse(res, {
      method: request.method,
      isHttp10,
      beforeHead: () => this.#beforeHead(),
      sendContinue: () => this.#sendContinue(),
      aborted: () => this.#aborted(),
    });
    const upgrade = options.takeSocket === undefined ? undefined : this.#upgradeFeature(headers.get("upgrade") ?? "");
    this.features = { bodyLimit: this.nodeBody, upgrade };
    req.on("error", () => undefined);
    res.on("finish", () => this.#finished());
    node.exchanges.add(this);
    if (node.socket.destroyed) this.clientGone(new ClientGoneError("the client left"));
  }

  onClientGone(listener: (cause: Error) => void): void {
    if (this.#gone !== undefined) listener(this.#gone);
    else if (!this.#over) this.#goneListeners.push(listener);
  }

  onComplete(listener: () => void): void {
    if (this.#over) listener();
    else this.#completeListeners.push(listener);
  }

  /** The connection is lost, or the client takes or sends nothing any more. */
  clientGone(cause: Error): void {
    if (this.#over || this.#gone !== undefined) return;
    if (this.#node.upgraded) {
      this.#complete();
      return;
    }
    this.#gone = cause;
    this.response.die();
    const listeners = this.#goneListeners;
    this.#goneListeners = [];
    for (const listener of listeners) listener(cause);
    this.nodeBody?.fail(cause);
    this.#complete();
  }

  #beforeHead(): void {
    const body = this.nodeBody;
    const rest = body === undefined || body.complete ? 0 : (body.length ?? Infinity) - body.received;
    const unread = body !== undefined && !body.complete && !body.awaitsClient && (this.#continueDue || rest > drainableRest);
    // A body that is still being read ends in its own time, whatever its size.
    if (this.#node.closing || this.#options.last === true || unread || body?.failed === true) this.#res.shouldKeepAlive = false;
    if (!this.#res.shouldKeepAlive && body?.complete === false) this.#node.lingerAtClose();
  }

  #sendContinue(): void {
    if (!this.#continueDue) return;
    this.#continueDue = false;
    if (!this.response.ended) this.#res.writeContinue();
  }

  #finished(): void {
    const body = this.nodeBody;
    if (body !== undefined && !body.complete && !this.#node.socket.destroyed) {
      const rest = (body.length ?? Infinity) - body.received;
      body.cancel();
      if (this.#continueDue || rest > drainableRest || !this.#res.shouldKeepAlive) this.#node.linger();
    } else if (this.#options.takeSocket !== undefined) this.#node.linger();
    this.#complete();
  }

  #aborted(): void {
    this.#node.cut();
    this.#complete();
  }

  #complete(): void {
    if (this.#over) return;
    this.#over = true;
    this.#goneListeners = [];
    const listeners = this.#completeListeners;
    this.#completeListeners = [];
    for (const listener of listeners) listener();
    this.#node.remove(this);
  }

  #upgradeFeature(protocol: string): UpgradeFeature {
    return { protocol, kind: "http1", accept: (head) => this.#accept(head) };
  }

  #accept(head: ResponseHead): Tunnel {
    const take = this.#options.takeSocket;
    if (this.response.started || this.#node.upgraded || take === undefined) {
      throw new ExchangeStateError("an upgrade after the response");
    }
    const { socket } = this.#node;
    if (this.#options.mayUpgrade?.() === false) {
      throw new BadRequestError(503, "TOO_MANY_UPGRADED_CONNECTIONS", "too many upgraded connections");
    }
    checkLines(head.headers);
    this.#node.upgraded = true;
    this.#options.onUpgraded?.();
    this.response.give(101);
    const { early, peerEnded } = take();
    const lines = new HeaderList();
    lines.append("Connection", "Upgrade");
    for (let i = 0; i < head.headers.size; i++) {
      if (!framing.has(head.headers.keyAt(i))) lines.appendFrom(head.headers, i);
    }
    const tunnel = new SocketTunnel(socket, early, peerEnded);
    this.#node.tunnel = tunnel;
    if (this.#node.serverClosing) tunnel.shutDown();
    if (!socket.destroyed) socket.write(`HTTP/1.1 101 ${reasonPhrase(101)}\r\n${lines.toWire()}\r\n`, "latin1");
    return tunnel;
  }
}

const framing: ReadonlySet<string> = new Set(["connection", "keep-alive", "transfer-encoding", "content-length"]);
