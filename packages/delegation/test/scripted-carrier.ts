import type { DelegationCarrier, QueueClock, QueueHandle } from "../src/index.ts";
import { DelegationError } from "../src/index.ts";

/** Time that stands until it is moved. */
export class StandingClock implements QueueClock {
  time = 0;
  readonly timers = new Set<{ readonly at: number; readonly call: () => void }>();

  now(): number {
    return this.time;
  }

  after(milliseconds: number, call: () => void): () => void {
    const timer = { at: this.time + milliseconds, call };
    this.timers.add(timer);
    return () => this.timers.delete(timer);
  }

  /** Moves on and calls what is due, in order. */
  move(milliseconds: number): void {
    const end = this.time + milliseconds;
    for (;;) {
      const [next] = [...this.timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.timers.delete(next);
      this.time = next.at;
      next.call();
    }
    this.time = end;
  }
}

/** A queue that is open. */
export interface OpenQueue {
  readonly name: string;
  lose(): void;
}

/** A carrier in memory; refuses a second handle of a name as HTTP.sys does. */
export class ScriptedCarrier implements DelegationCarrier {
  readonly kind = "httpsys";
  readonly open_ = new Map<QueueHandle, string>();
  /** Attempts to open. */
  opened = 0;
  /** Codes that the next attempts to open fail with. */
  readonly errors: DelegationError[] = [];
  /** Ends of hand-overs that are under way; with `waits` they are not over at once. */
  readonly pending: ((error: DelegationError | undefined) => void)[] = [];
  waits = false;
  readonly #async: boolean;

  constructor(mode: "sync" | "async" = "sync") {
    this.#async = mode === "async";
  }

  nameKey(name: string): string {
    return name.toLowerCase();
  }

  nameFault(): undefined {
    return undefined;
  }

  open(name: string): QueueHandle | Promise<QueueHandle> {
    this.opened++;
    const error = this.errors.shift();
    if (!this.#async) {
      if (error !== undefined) throw error;
      return this.#handle(name);
    }
    return Promise.resolve().then(() => {
      if (error !== undefined) throw error;
      return this.#handle(name);
    });
  }

  #handle(name: string): QueueHandle {
    const key = this.nameKey(name);
    if (!this.#async && [...this.open_.values()].includes(key)) throw new DelegationError("FAILED", `183: ${name}`);
    const mine: ((error: DelegationError | undefined) => void)[] = [];
    const handle: QueueHandle = {
      delegate: (_exchange, _target, done) => {
        if (!this.waits) return done(undefined);
        let isOver = false;
        const once = (error: DelegationError | undefined): void => {
          if (isOver) return;
          isOver = true;
          done(error);
        };
        mine.push(once);
        this.pending.push(once);
      },
      close: () => {
        if (!this.open_.delete(handle)) throw new Error("closed twice");
        for (const end of mine.splice(0)) end(new DelegationError("DISPOSED", "closed"));
      },
    };
    this.open_.set(handle, key);
    return handle;
  }
}
