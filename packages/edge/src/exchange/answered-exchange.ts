/**
 * An exchange whose final response head passes a function first, whoever answers: a destination, the gateway, a step. What a policy has to say with
 * each answer is said there. Interim responses pass as they are, and accepted upgrades unless they are asked for.
 */
import type { Exchange, ExchangeFeatures, HeaderList, ResponseHead, ResponseSink } from "@proxy/http";
import { WrappedExchange } from "@proxy/pipeline";

/** Gives the head that is sent: the same, or another. Must not throw. */
export type HeadChange = (head: ResponseHead) => ResponseHead;

/** `presented`, with `change` between its answer and the client. */
export class AnsweredExchange extends WrappedExchange {
  constructor(presented: Exchange, change: HeadChange) {
    super(presented, new AnsweredSink(presented.response, change));
  }
}

/** The same, where `change` sees the head of an accepted upgrade (101, or 200 over HTTP/2), too. */
export class AnsweredOrUpgradedExchange extends AnsweredExchange {
  readonly #change: HeadChange;
  #features: ExchangeFeatures | undefined;

  constructor(presented: Exchange, change: HeadChange) {
    super(presented, change);
    this.#change = change;
  }

  override get features(): ExchangeFeatures {
    const { upgrade } = super.features;
    if (upgrade === undefined) return super.features;
    const { protocol, kind } = upgrade;
    return (this.#features ??= { ...super.features, upgrade: { protocol, kind, accept: (head) => upgrade.accept(this.#change(head)) } });
  }
}

class AnsweredSink implements ResponseSink {
  readonly #sink: ResponseSink;
  readonly #change: HeadChange;

  constructor(sink: ResponseSink, change: HeadChange) {
    this.#sink = sink;
    this.#change = change;
  }

  get started(): boolean {
    return this.#sink.started;
  }

  get status(): number | undefined {
    return this.#sink.status;
  }

  get ended(): boolean {
    return this.#sink.ended;
  }

  get trailersSupported(): boolean {
    return this.#sink.trailersSupported;
  }

  get pending(): number {
    return this.#sink.pending;
  }

  informational(status: number, headers: HeaderList): void {
    this.#sink.informational(status, headers);
  }

  send(head: ResponseHead, body?: Uint8Array | string): void {
    this.#sink.send(this.#change(head), body);
  }

  sendLatin1(head: ResponseHead, body: string): void {
    if (this.#sink.sendLatin1 === undefined) this.#sink.send(this.#change(head), Buffer.from(body, "latin1"));
    else this.#sink.sendLatin1(this.#change(head), body);
  }

  start(head: ResponseHead): void {
    this.#sink.start(this.#change(head));
  }

  write(chunk: Uint8Array): boolean {
    return this.#sink.write(chunk);
  }

  onDrain(listener: () => void): void {
    this.#sink.onDrain(listener);
  }

  flush(): void {
    this.#sink.flush();
  }

  end(trailers?: HeaderList): void {
    this.#sink.end(trailers);
  }

  abort(cause: Error): void {
    this.#sink.abort(cause);
  }
}
