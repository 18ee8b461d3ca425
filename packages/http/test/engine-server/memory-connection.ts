import type { Exchange, ExchangeHandler, ServerLimits, TlsInfo } from "../../src/index.ts";
import { ConnectionBudget, defaultServerLimits, HeaderList } from "../../src/index.ts";
import { Connection } from "../../src/engine/server/connection.ts";
import type { ConnectionLender } from "../../src/engine/server/connection-lender.ts";
import type { ConnectionSocket } from "../../src/engine/server/connection-socket.ts";
import { RequestParser } from "../../src/engine/server/request-parser.ts";
import type { ServerContext } from "../../src/engine/server/server-context.ts";
import { TimerWheel } from "../../src/engine/timer-wheel.ts";

/** A socket in memory that takes everything at once: for tests that need thousands of connections. */
export class MemorySocket implements ConnectionSocket {
  sent = "";
  ended = false;
  destroyed = false;
  paused = false;
  /** Bytes that it holds back, as a test says. */
  writableLength: number = 0;
  readonly writableNeedDrain = false;
  readonly writableFinished = true;
  get bytesWritten(): number {
    return this.sent.length;
  }
  get writableEnded(): boolean {
    return this.ended;
  }

  write(data: string | Uint8Array): boolean {
    this.sent += typeof data === "string" ? data : Buffer.from(data).toString("latin1");
    return true;
  }
  end(): never {
    this.ended = true;
    return this as never;
  }
  destroy(): never {
    this.destroyed = true;
    return this as never;
  }
  resetAndDestroy(): never {
    return this.destroy();
  }
  cork(): void {}
  uncork(): void {}
  pause(): never {
    this.paused = true;
    return this as never;
  }
  resume(): never {
    this.paused = false;
    return this as never;
  }
}

/** A request as it stands when its head is there. */
export interface SeenHead {
  readonly method: string;
  readonly target: string;
  readonly version: string;
  readonly headers: readonly string[];
}

export interface SeenRequest extends SeenHead {
  /** Latin1. */
  readonly body: string;
  readonly trailers: readonly string[];
}

export interface MemoryOutcome {
  /** Requests that the handler was given, in order, whether they came to their end or not. */
  readonly heads: readonly SeenHead[];
  /** Requests that came to their end, in order. */
  readonly requests: readonly SeenRequest[];
  /** Whether a request was refused or broke off. */
  readonly faults: number;
  /** What the readers of bodies that broke off were told. */
  readonly bodyErrors: readonly Error[];
  /** What the client got, without dates. */
  readonly sent: string;
  readonly ended: boolean;
  /** How many pieces had been sent when the handler was given each head. */
  readonly begunAfter: readonly number[];
  /** How many pieces had been sent when each request came to its end. */
  readonly completedAfter: readonly number[];
}

/** What is out of the ordinary about a connection in memory. */
export interface MemoryConditions {
  readonly tls?: TlsInfo | undefined;
  readonly lender?: ConnectionLender | undefined;
  /** For its deadlines; a clock that stands still otherwise. */
  readonly now?: (() => number) | undefined;
}

/** A connection over a socket in memory. */
export function openInMemory(
  handler: ExchangeHandler, limits?: Partial<ServerLimits>, onFault: () => void = () => undefined, given: MemoryConditions = {},
): { readonly socket: MemorySocket; readonly connection: Connection; readonly wheel: TimerWheel } {
  const socket = new MemorySocket();
  const allLimits = { ...defaultServerLimits, ...limits };
  const context: ServerContext = {
    handler,
    limits: allLimits,
    wheel: new TimerWheel({ now: given.now ?? (() => 0) }),
    parser: new RequestParser(allLimits, "http"),
    onFault,
    budget: new ConnectionBudget(),
    closing: false,
    connectionClosed: () => undefined,
  };
  const info = { id: 1, remoteAddress: undefined, remotePort: undefined, localAddress: undefined, localPort: undefined, tls: given.tls };
  return { socket, connection: new Connection(context, socket, info, given.lender), wheel: context.wheel };
}

/** Sends `pieces` over a connection whose handler reads each request whole and answers 200. */
export function playInMemory(pieces: readonly Uint8Array[], limits?: Partial<ServerLimits>): MemoryOutcome {
  const notes: Notes = { heads: [], requests: [], bodyErrors: [] };
  let faults = 0;
  const { socket, connection } = openInMemory((exchange) => readWhole(exchange, notes), limits, () => faults++);
  const begunAfter: number[] = [];
  const completedAfter: number[] = [];
  for (const [index, piece] of pieces.entries()) {
    if (piece.length > 0) connection.data(Buffer.from(piece));
    while (begunAfter.length < notes.heads.length) begunAfter.push(index + 1);
    while (completedAfter.length < notes.requests.length) completedAfter.push(index + 1);
  }
  connection.closed();
  const sent = socket.sent.replaceAll(/Date: [^\r]*/g, "Date: -");
  return { ...notes, faults, sent, ended: socket.ended || socket.destroyed, begunAfter, completedAfter };
}

interface Notes {
  readonly heads: SeenHead[];
  readonly requests: SeenRequest[];
  readonly bodyErrors: Error[];
}

function readWhole(exchange: Exchange, { heads, requests, bodyErrors }: Notes): void {
  const { request, response } = exchange;
  const head: SeenHead = {
    method: request.method,
    target: request.target,
    version: request.httpVersion,
    headers: request.headers.toRaw(),
  };
  heads.push(head);
  let text = "";
  const finish = (trailers: HeaderList | undefined): void => {
    requests.push({ ...head, body: text, trailers: trailers?.toRaw() ?? [] });
    response.send({ status: 200, headers: new HeaderList() }, "");
  };
  if (exchange.body === undefined) {
    finish(undefined);
    return;
  }
  exchange.body.read({
    onData(chunk) {
      text += Buffer.from(chunk).toString("latin1");
      return true;
    },
    onEnd: finish,
    onError(error) {
      bodyErrors.push(error);
      response.send({ status: 400, headers: new HeaderList() }, "");
    },
  });
}
