import { type BodySink, type Tunnel } from "@proxy/http";
import type { Failure } from "./failure.ts";
import type { ForwarderErrorCode } from "./forwarder-error.ts";
import type { TimerWheel, WheelEntry } from "./timer-wheel.ts";

/** How long the client may take to close after the destination has: milliseconds. */
const closingTime = 5000;

/** One direction: what `from` sends goes to `to`, held back while `to` is full. */
class Direction implements BodySink {
  readonly #relay: TunnelRelay;
  readonly #from: Tunnel;
  readonly #to: Tunnel;
  readonly #fromClient: boolean;
  waiting = false;
  ended = false;

  constructor(relay: TunnelRelay, from: Tunnel, to: Tunnel, fromClient: boolean) {
    this.#relay = relay;
    this.#from = from;
    this.#to = to;
    this.#fromClient = fromClient;
  }

  start(): void {
    this.#to.onDrain(() => this.#onDrain());
    this.#from.read(this);
  }

  onData(chunk: Uint8Array): boolean {
    if (this.#relay.closing) return true;
    this.#relay.touch();
    if (!this.#to.write(chunk) && !this.waiting) {
      this.waiting = true;
      this.#from.pause();
    }
    return this.#to.pending === 0;
  }

  onEnd(): void {
    this.ended = true;
    this.#relay.onEnd(this.#fromClient);
  }

  onError(error: Error): void {
    this.ended = true;
    this.#relay.onError(this.#fromClient, error);
  }

  #onDrain(): void {
    if (!this.waiting) return;
    this.waiting = false;
    this.#relay.touch();
    this.#from.resume();
  }
}

/**
 * Bytes both ways after an upgrade. The client's half-close is passed on and the destination's answer waited for;
 * the destination's end is the end. The first failure decides the outcome.
 */
export class TunnelRelay implements WheelEntry {
  wheelNext: WheelEntry | undefined = undefined;
  wheelPrevious: WheelEntry | undefined = undefined;
  /** The outcome is told; the client is given time to close. */
  closing = false;
  readonly #client: Tunnel;
  readonly #destination: Tunnel;
  readonly #wheel: TimerWheel;
  readonly #activityTicks: number;
  readonly #done: (failure: Failure | undefined) => void;
  readonly #request: Direction;
  readonly #response: Direction;
  #lastTick: number;
  #over = false;

  constructor(
    client: Tunnel,
    destination: Tunnel,
    wheel: TimerWheel,
    activityTicks: number,
    done: (failure: Failure | undefined) => void,
  ) {
    this.#client = client;
    this.#destination = destination;
    this.#wheel = wheel;
    this.#activityTicks = activityTicks;
    this.#done = done;
    this.#lastTick = wheel.tick;
    this.#request = new Direction(this, client, destination, true);
    this.#response = new Direction(this, destination, client, false);
  }

  start(): void {
    this.#wheel.add(this, this.#lastTick + this.#activityTicks);
    this.#request.start();
    if (!this.#over) this.#response.start();
  }

  touch(): void {
    this.#lastTick = this.#wheel.tick;
  }

  onEnd(fromClient: boolean): void {
    if (this.#over) return;
    this.touch();
    if (this.closing) {
      if (fromClient) this.#close();
    } else if (fromClient) {
      this.#destination.end();
    } else {
      this.#destination.end();
      this.#client.end();
      if (this.#request.ended) {
        this.#close();
        this.#done(undefined);
        return;
      }
      // What the client still sends is dropped; it has a while to close.
      this.closing = true;
      this.#client.resume();
      this.#done(undefined);
    }
  }

  onError(fromClient: boolean, error: Error): void {
    if (this.#over) return;
    const writing = (error as NodeJS.ErrnoException).syscall === "write";
    const code: ForwarderErrorCode = fromClient
      ? writing
        ? "UpgradeResponseClient"
        : "UpgradeRequestClient"
      : writing
        ? "UpgradeRequestDestination"
        : "UpgradeResponseDestination";
    this.#fail(code, fromClient ? "client" : "destination", error);
  }

  /** The client's connection is gone as a whole, or the caller gave up. */
  cancel(cause: unknown, source: "client" | "gateway"): void {
    if (this.#over) return;
    this.#fail(this.#response.waiting ? "UpgradeResponseCanceled" : "UpgradeRequestCanceled", source, cause);
  }

  check(tick: number): number {
    if (this.#over) return 0;
    const patience = this.closing ? this.#wheel.ticks(closingTime) : this.#activityTicks;
    if (tick - this.#lastTick < patience) return this.#lastTick + patience;
    const cause = new Error("no byte moved through the tunnel within the activity timeout");
    this.#fail("UpgradeActivityTimeout", this.#request.waiting ? "destination" : "client", cause);
    return 0;
  }

  #fail(code: ForwarderErrorCode, source: Failure["source"], cause: unknown): void {
    const told = this.closing;
    const error = cause instanceof Error ? cause : new Error(code);
    this.#close();
    this.#client.abort(error);
    this.#destination.abort(error);
    if (!told) this.#done({ code, status: 502, source, retry: "never", cause });
  }

  #close(): void {
    this.#over = true;
    this.#wheel.remove(this);
  }
}
