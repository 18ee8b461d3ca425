import type { ConnectionInfo, Exchange, ExchangeFeatures, RequestHead, ResponseSink } from "@proxy/http";

/** A request of the cache's own, like that of a client, for whose answer no client waits. */
export class RefreshExchange implements Exchange {
  readonly request: RequestHead;
  readonly connection: ConnectionInfo;
  readonly clientAddress: string | undefined;
  readonly body = undefined;
  readonly features: ExchangeFeatures = {};
  readonly response: ResponseSink;
  #isOver = false;
  readonly #onComplete: (() => void)[] = [];

  constructor({ request, connection, clientAddress }: Exchange) {
    this.request = request;
    this.connection = connection;
    this.clientAddress = clientAddress;
    this.response = new Nobody(() => {
      this.#isOver = true;
      for (const listener of this.#onComplete.splice(0)) listener();
    });
  }

  onClientGone(): void {}

  onComplete(listener: () => void): void {
    if (this.#isOver) listener();
    else this.#onComplete.push(listener);
  }
}

class Nobody implements ResponseSink {
  started = false;
  ended = false;
  status: number | undefined = undefined;
  readonly trailersSupported = false;
  readonly pending = 0;
  readonly #over: () => void;

  constructor(over: () => void) {
    this.#over = over;
  }

  informational(): void {}

  send(head: { readonly status: number }): void {
    this.start(head);
    this.end();
  }

  start({ status }: { readonly status: number }): void {
    this.started = true;
    this.status = status;
  }

  write(): boolean {
    return true;
  }

  onDrain(): void {}

  flush(): void {}

  end(): void {
    if (this.ended) return;
    this.ended = true;
    this.#over();
  }

  abort(): void {
    this.end();
  }
}
