/**
 * Stands before a front server whose connections begin with a PROXY header. A connection is taken in these steps:
 *
 * 1. accepted and counted; one of a peer that may not speak for others is closed;
 * 2. the header, within its time; what is none, or does not come, closes the connection;
 * 3. handed on with what the header says; what came after the header is still to be read from the socket.
 */
import type { Socket } from "node:net";
import type { ConnectionBudget } from "../connection-budget.ts";
import { plainAddress } from "../node/connection-info.ts";
import { parseProxyHeader, ProxyHeaderError, type ProxiedAddresses, type ProxyHeader } from "./proxy-header.ts";

export interface ProxyProtocolOptions {
  /** Whether the peer with this address may say for whom it speaks; connections of others are closed. */
  readonly trusts: (remoteAddress: string | undefined) => boolean;
  /** Milliseconds for the header to come as a whole. Default 5000. */
  readonly timeout?: number | undefined;
}

export interface ProxyProtocolGateOptions extends ProxyProtocolOptions {
  readonly budget: ConnectionBudget;
  /** Most connections of the budget. */
  readonly maximum: number;
  readonly onFault: (error: Error) => void;
  /** Takes the socket over, in the same turn as its place in the budget is free again. */
  readonly deliver: (socket: Socket, addresses: ProxiedAddresses | undefined) => void;
}

const defaultTimeout = 5000;
const nothing = Buffer.alloc(0);

export class ProxyProtocolGate {
  readonly #options: ProxyProtocolGateOptions;
  readonly #waiting = new Map<Socket, () => void>();
  #closed = false;

  constructor(options: ProxyProtocolGateOptions) {
    this.#options = options;
  }

  /** Connections whose header has not come yet. */
  get waiting(): number {
    return this.#waiting.size;
  }

  accept(socket: Socket): void {
    const { budget, maximum, trusts, timeout = defaultTimeout } = this.#options;
    // Its sink until somebody else is; later listeners come beside it.
    socket.on("error", ignore);
    if (this.#closed || budget.open >= maximum) {
      socket.destroy();
      return;
    }
    if (!trusts(plainAddress(socket.remoteAddress))) {
      this.#refuse(socket, new ProxyHeaderError("the peer is no trusted proxy"));
      return;
    }
    let received: Buffer = nothing;
    const onReadable = (): void => {
      for (let chunk = socket.read() as Buffer | null; chunk !== null; chunk = socket.read() as Buffer | null) {
        received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      }
      let header: ProxyHeader | undefined;
      try {
        header = parseProxyHeader(received);
      } catch (error) {
        this.#refuse(socket, error as Error);
        return;
      }
      if (header === undefined) return;
      leave();
      if (received.length > header.length) socket.unshift(received.subarray(header.length));
      this.#options.deliver(socket, header.addresses);
    };
    const onEnd = (): void => {
      if (received.length > 0) this.#refuse(socket, new ProxyHeaderError("the connection ended within its PROXY header"));
      else socket.destroy();
    };
    const timer = setTimeout(() => this.#refuse(socket, new ProxyHeaderError("the PROXY header did not come in time")), timeout);
    const leave = (): void => {
      clearTimeout(timer);
      socket.off("readable", onReadable);
      socket.off("end", onEnd);
      socket.off("close", leave);
      if (this.#waiting.delete(socket)) budget.freeOpen();
    };
    budget.takeOpen();
    this.#waiting.set(socket, leave);
    socket.on("readable", onReadable);
    socket.on("end", onEnd);
    socket.on("close", leave);
  }

  /** Closes the connections that wait; those that come from now on too. */
  close(): void {
    this.#closed = true;
    for (const [socket, leave] of this.#waiting) {
      leave();
      socket.destroy();
    }
  }

  #refuse(socket: Socket, error: Error): void {
    this.#waiting.get(socket)?.();
    socket.destroy();
    this.#options.onFault(error);
  }
}

function ignore(): void {}
