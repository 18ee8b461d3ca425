import type { BodySource, ConnectionInfo, Exchange, ExchangeFeatures, RequestHead, ResponseSink } from "@proxy/http";

/** The exchange as the front server presented it: what `ctx.exchange` is, unless something stands around it that sees the answer. */
export function presentedExchange(exchange: Exchange): Exchange {
  let innermost = exchange;
  while ("presented" in innermost) innermost = innermost.presented as Exchange;
  return innermost;
}

/** An exchange with another response sink around its own, or another head of the request; all else is that of the exchange behind it. */
export class WrappedExchange implements Exchange {
  /** The exchange behind this one. */
  readonly presented: Exchange;
  readonly request: RequestHead;
  readonly connection: ConnectionInfo;
  readonly response: ResponseSink;

  constructor(presented: Exchange, response: ResponseSink, request: RequestHead = presented.request) {
    this.presented = presented;
    this.request = request;
    this.connection = presented.connection;
    this.response = response;
  }

  get clientAddress(): string | undefined {
    return this.presented.clientAddress;
  }

  set clientAddress(address: string | undefined) {
    this.presented.clientAddress = address;
  }

  get body(): BodySource | undefined {
    return this.presented.body;
  }

  get features(): ExchangeFeatures {
    return this.presented.features;
  }

  onClientGone(listener: (cause: Error) => void): void {
    this.presented.onClientGone(listener);
  }

  onComplete(listener: () => void): void {
    this.presented.onComplete(listener);
  }
}
