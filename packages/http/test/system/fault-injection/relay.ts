import {
  type DestinationCall, type DestinationClient, type DestinationError, type DestinationHandler, type Exchange,
  HeaderList, type ResponseHead, type Tunnel,
} from "../../../src/index.ts";

/** What a relay has under way: all zero when it is idle. */
export interface RelayCounters {
  exchanges: number;
  calls: number;
  tunnels: number;
  /** Final calls and completions beyond the first: always zero. */
  twice: number;
}

/** The smallest proxy there can be: one exchange, one call, bytes passed on with backpressure. */
export class Relay implements DestinationHandler {
  readonly #exchange: Exchange;
  readonly #counters: RelayCounters;
  #call: DestinationCall | undefined;
  #over = false;
  #completed = false;

  constructor(exchange: Exchange, client: DestinationClient, counters: RelayCounters) {
    this.#exchange = exchange;
    this.#counters = counters;
    counters.exchanges++;
    counters.calls++;
    exchange.onComplete(() => {
      if (this.#completed) counters.twice++;
      this.#completed = true;
      counters.exchanges--;
    });
    const { request, features } = exchange;
    const headers = request.headers.copy();
    headers.filter((key) => !/^(connection|content-length|transfer-encoding|upgrade|keep-alive)$/.test(key));
    exchange.response.onDrain(() => this.#call?.resume());
    this.#call = client.send(
      { method: request.method, target: request.path + request.query, headers, body: exchange.body, upgrade: features.upgrade?.protocol },
      this,
    );
    exchange.onClientGone((cause) => {
      if (this.#over) return;
      this.#finish();
      this.#call?.abort(cause);
    });
  }

  onInformational(status: number, headers: HeaderList): void {
    this.#exchange.response.informational(status, headers);
  }

  onResponse(head: ResponseHead): void {
    this.#exchange.response.start(head);
  }

  onData(chunk: Uint8Array): boolean {
    const { response } = this.#exchange;
    if (!response.write(chunk)) this.#call?.pause();
    return response.pending === 0;
  }

  onEnd(trailers: HeaderList | undefined): void {
    this.#finish();
    this.#exchange.response.end(trailers);
  }

  onUpgrade(head: ResponseHead, tunnel: Tunnel): void {
    this.#finish();
    const { upgrade } = this.#exchange.features;
    if (upgrade === undefined) {
      tunnel.abort(new Error("nobody asked"));
      return;
    }
    const pair = new TunnelPair(upgrade.accept(head), tunnel, this.#counters);
    pair.start();
  }

  onError(error: DestinationError): void {
    this.#finish();
    const { response } = this.#exchange;
    if (response.started) response.abort(error);
    else response.send({ status: 502, headers: new HeaderList() }, "bad gateway");
  }

  onProgress(): void {
    // No timeouts here.
  }

  #finish(): void {
    if (this.#over) this.#counters.twice++;
    this.#over = true;
    this.#counters.calls--;
  }
}

/** Two tunnels that pass bytes to each other until both have ended or one is lost. */
class TunnelPair {
  readonly #front: Tunnel;
  readonly #back: Tunnel;
  readonly #counters: RelayCounters;
  #open = 2;

  constructor(front: Tunnel, back: Tunnel, counters: RelayCounters) {
    this.#front = front;
    this.#back = back;
    this.#counters = counters;
    counters.tunnels += 2;
  }

  start(): void {
    this.#pass(this.#front, this.#back);
    this.#pass(this.#back, this.#front);
  }

  #pass(from: Tunnel, to: Tunnel): void {
    to.onDrain(() => from.resume());
    from.read({
      onData: (chunk) => {
        if (!to.write(chunk)) from.pause();
        return to.pending === 0;
      },
      onEnd: () => {
        this.#leave(1);
        to.end();
      },
      onError: (error) => {
        this.#leave(this.#open);
        this.#front.abort(error);
        this.#back.abort(error);
      },
    });
  }

  #leave(count: number): void {
    const left = Math.min(count, this.#open);
    this.#open -= left;
    this.#counters.tunnels -= left;
  }
}
