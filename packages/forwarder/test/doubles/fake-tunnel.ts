import type { BodySink, ResponseHead, Tunnel, UpgradeFeature } from "@proxy/http";

/** One end of a tunnel whose peer a test plays. */
export class FakeTunnel implements Tunnel {
  readonly written: Buffer[] = [];
  ended = false;
  paused = false;
  aborted: Error | undefined;
  pending = 0;
  /** What `write` answers. */
  room = true;
  #sink: BodySink | undefined;
  #drain: (() => void) | undefined;
  #shutdown: (() => void) | undefined;

  /** What was written so far. */
  get text(): string {
    return Buffer.concat(this.written).toString("latin1");
  }

  read(sink: BodySink): void {
    this.#sink = sink;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  write(chunk: Uint8Array): boolean {
    this.written.push(Buffer.from(chunk));
    return this.room;
  }

  onDrain(listener: () => void): void {
    this.#drain = listener;
  }

  onShutdown(listener: () => void): void {
    this.#shutdown = listener;
  }

  end(): void {
    this.ended = true;
  }

  abort(cause: Error): void {
    this.aborted ??= cause;
  }

  /** The peer sends. */
  push(bytes: string | Uint8Array): void {
    this.#sink?.onData(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
  }

  /** The peer half-closes. */
  pushEnd(): void {
    this.#sink?.onEnd(undefined);
  }

  /** The peer is lost. */
  lose(error: Error): void {
    this.#sink?.onError(error);
  }

  drain(): void {
    this.room = true;
    this.#drain?.();
  }

  /** The server of this end begins to close. */
  shutDown(): void {
    this.#shutdown?.();
  }
}

/** The client's side of an upgrade. */
export class FakeUpgrade implements UpgradeFeature {
  readonly protocol: string;
  readonly kind: "http1" | "http2";
  readonly tunnel: FakeTunnel = new FakeTunnel();
  /** The head it was accepted with. */
  head: ResponseHead | undefined;
  /** Thrown by `accept`. */
  refuse: Error | undefined;

  constructor(protocol: string, kind: "http1" | "http2" = "http1") {
    this.protocol = protocol;
    this.kind = kind;
  }

  accept(head: ResponseHead): Tunnel {
    if (this.refuse !== undefined) throw this.refuse;
    this.head = head;
    return this.tunnel;
  }
}
