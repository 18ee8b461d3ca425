import type { DelegationCarrier, QueueHandle } from "../carrier.ts";
import { asDelegationError, DelegationError } from "../errors.ts";

/** Of one queue: never tried, being attached, ready, to be tried again later, or given up for good. */
export type QueueState = "idle" | "attaching" | "attached" | "failed" | "closed";

/** What becomes of a queue, for logs. */
export interface QueueEvent {
  readonly type: "attached" | "attach-failed" | "lost" | "detached" | "reset" | "released";
  readonly queueName: string;
  readonly error?: DelegationError | undefined;
}

/** Time and timers; injected by tests. */
export interface QueueClock {
  now(): number;
  /** Calls back once; gives what takes it back. */
  after(milliseconds: number, call: () => void): () => void;
}

/** The clock and the timers of Node, which hold no process open. */
export const systemQueueClock: QueueClock = {
  now: () => performance.now(),
  after(milliseconds, call) {
    const timer = setTimeout(call, milliseconds);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

type Attached = (handle: QueueHandle | undefined, error: DelegationError | undefined) => void;

const firstBackOff = 100;
const longestBackOff = 10_000;

/**
 * The one handle of a queue name. Attached when the first rule appears, closed by `close` and then never again. After a failure it is
 * tried again by itself, after 100 ms and then twice as long each time up to 10 s. A request tries at once where the queue was not there, as
 * it may be now, and after a first failure of another kind; otherwise it goes by the timer. The same failure again is not told again.
 */
export class Queue {
  readonly name: string;
  readonly #carrier: DelegationCarrier;
  readonly #clock: QueueClock;
  readonly #tell: (event: QueueEvent) => void;
  #state: QueueState = "idle";
  #handle: QueueHandle | undefined;
  #error: DelegationError | undefined;
  #failures = 0;
  /** No request tries before. */
  #retryAt = 0;
  #stopTimer: (() => void) | undefined;
  /** Counts what makes an attempt under way obsolete. */
  #generation = 0;
  #waiting: Attached[] = [];

  constructor(name: string, carrier: DelegationCarrier, clock: QueueClock, tell: (event: QueueEvent) => void) {
    this.name = name;
    this.#carrier = carrier;
    this.#clock = clock;
    this.#tell = tell;
  }

  get state(): QueueState {
    return this.#state;
  }

  get error(): DelegationError | undefined {
    return this.#error;
  }

  /** Tries to attach, unless it is attached or being attached. */
  attach(): void {
    if (this.#state === "idle" || this.#state === "failed") this.#attach();
  }

  /** The handle, attaching where that is due. Calls back once, perhaps before it returns. */
  acquire(done: Attached): void {
    if (this.#handle !== undefined) return done(this.#handle, undefined);
    if (this.#state === "closed") return done(undefined, closedError(this.name));
    if (this.#state === "failed" && this.#clock.now() < this.#retryAt) return done(undefined, this.#error);
    this.#waiting.push(done);
    this.attach();
  }

  /** Gives up `handle`, unless another took its place meanwhile. */
  detach(handle: QueueHandle, error: DelegationError): void {
    if (this.#handle !== handle) return;
    this.#tell({ type: "detached", queueName: this.name, error });
    this.#drop("idle");
  }

  /** Closes the handle, so that the other process can create its queue anew; the next request attaches again. */
  reset(): void {
    if (this.#state === "closed") return;
    const waiting = this.#takeWaiting();
    this.#failures = 0;
    this.#error = undefined;
    this.#tell({ type: "reset", queueName: this.name });
    this.#drop("idle");
    for (const done of waiting) done(undefined, new DelegationError("DISPOSED", `the queue '${this.name}' was reset`));
  }

  close(): void {
    if (this.#state === "closed") return;
    const waiting = this.#takeWaiting();
    this.#tell({ type: "released", queueName: this.name });
    this.#drop("closed");
    for (const done of waiting) done(undefined, closedError(this.name));
  }

  /** Hand-overs that end with the handle may attach anew before this returns. */
  #drop(next: "idle" | "closed"): void {
    this.#generation++;
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    this.#retryAt = 0;
    this.#state = next;
    const handle = this.#handle;
    this.#handle = undefined;
    if (handle === undefined) return;
    handle.onLost = undefined;
    handle.close();
  }

  #attach(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    this.#state = "attaching";
    const generation = ++this.#generation;
    let opening: QueueHandle | Promise<QueueHandle>;
    try {
      opening = this.#carrier.open(this.name);
    } catch (error) {
      this.#failed(asDelegationError(error));
      return;
    }
    if (!(opening instanceof Promise)) {
      this.#attached(opening);
      return;
    }
    opening.then(
      (handle) => {
        if (generation === this.#generation) this.#attached(handle);
        else handle.close();
      },
      (error: unknown) => {
        if (generation === this.#generation) this.#failed(asDelegationError(error));
      },
    );
  }

  #attached(handle: QueueHandle): void {
    this.#state = "attached";
    this.#handle = handle;
    this.#error = undefined;
    this.#failures = 0;
    handle.onLost = (cause) => this.#lost(handle, cause);
    this.#tell({ type: "attached", queueName: this.name });
    this.#answer(handle, undefined);
  }

  #lost(handle: QueueHandle, cause: DelegationError | undefined): void {
    if (this.#handle !== handle) return;
    this.#error = cause;
    this.#tell({ type: "lost", queueName: this.name, error: cause });
    this.#drop("idle");
    if (this.#state === "idle") this.#retryLater(firstBackOff);
  }

  #failed(error: DelegationError): void {
    const isNews = this.#failures === 0 || this.#error?.code !== error.code;
    this.#state = "failed";
    this.#error = error;
    this.#failures++;
    const wait = Math.min(longestBackOff, firstBackOff * 2 ** (this.#failures - 1));
    this.#retryAt = this.#failures === 1 || error.code === "NOT_FOUND" ? 0 : this.#clock.now() + wait;
    if (isNews) this.#tell({ type: "attach-failed", queueName: this.name, error });
    if (error.code !== "UNSUPPORTED") this.#retryLater(wait);
    this.#answer(undefined, error);
  }

  #retryLater(wait: number): void {
    this.#stopTimer = this.#clock.after(wait, () => {
      this.#stopTimer = undefined;
      this.attach();
    });
  }

  #answer(handle: QueueHandle | undefined, error: DelegationError | undefined): void {
    for (const done of this.#takeWaiting()) done(handle, error);
  }

  #takeWaiting(): readonly Attached[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    return waiting;
  }
}

function closedError(name: string): DelegationError {
  return new DelegationError("DISPOSED", `the queue '${name}' is not configured any more`);
}
