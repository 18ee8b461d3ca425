import {
  ClientGoneError,
  type BodySource,
  type ConnectionInfo,
  type Exchange,
  type ExchangeFeatures,
  type RequestHead,
  type ResponseHead,
  type ResponseSink,
} from "@proxy/http";

/** More of a response is not read. */
const enoughResponse = 1_048_576;

/** A copy of a request, with nobody who waits for its response. */
export class MirrorExchange implements Exchange {
  readonly request: RequestHead;
  readonly connection: ConnectionInfo;
  clientAddress: string | undefined;
  readonly body: BodySource | undefined;
  readonly response: Discarding;
  readonly features: ExchangeFeatures = {};
  /** It was given up for the size of its response: no fault of anybody's. */
  hadEnough = false;
  readonly #onGone: ((cause: Error) => void)[] = [];
  readonly #onComplete: (() => void)[] = [];

  constructor({ request, connection, clientAddress }: Exchange, body: BodySource | undefined) {
    this.request = request;
    this.connection = connection;
    this.clientAddress = clientAddress;
    this.body = body;
    this.response = new Discarding(
      () => {
        this.hadEnough = true;
        this.leave("enough of the response was read");
      },
      () => this.#complete(),
    );
  }

  /** Gives it up, wherever it is. */
  leave(why: string): void {
    if (this.response.ended) return;
    this.response.ended = true;
    const cause = new ClientGoneError(why);
    for (const listener of this.#onGone.splice(0)) listener(cause);
    this.#complete();
  }

  onClientGone(listener: (cause: Error) => void): void {
    if (this.response.ended) listener(new ClientGoneError("the copy of the request is over"));
    else this.#onGone.push(listener);
  }

  onComplete(listener: () => void): void {
    if (this.response.ended) listener();
    else this.#onComplete.push(listener);
  }

  #complete(): void {
    for (const listener of this.#onComplete.splice(0)) listener();
  }
}

class Discarding implements ResponseSink {
  started = false;
  ended = false;
  status: number | undefined = undefined;
  readonly trailersSupported = false;
  readonly pending = 0;
  readonly #enough: () => void;
  readonly #over: () => void;
  #size = 0;

  constructor(enough: () => void, over: () => void) {
    this.#enough = enough;
    this.#over = over;
  }

  informational(): void {}

  send(head: ResponseHead): void {
    this.start(head);
    this.end();
  }

  start(head: ResponseHead): void {
    if (this.ended) return;
    this.started = true;
    this.status = head.status;
  }

  write(chunk: Uint8Array): boolean {
    this.#size += chunk.length;
    if (this.#size > enoughResponse) this.#enough();
    return true;
  }

  flush(): void {}

  end(): void {
    if (this.ended) return;
    this.ended = true;
    this.#over();
  }

  abort(): void {
    this.end();
  }

  onDrain(): void {}
}
