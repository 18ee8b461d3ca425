import type { Timed, TimerWheel } from "../timer-wheel.ts";

/** Told when time is up. */
export interface DeadlineOwner {
  /** What was to come did not. */
  readOverdue(time: number): void;
  /** What was written is not all taken. False: the connection was given up. */
  writeOverdue(): boolean;
}

/** The two deadlines of a connection, for what is to come and for what is to be taken: one entry on the wheel for its life. */
export class ConnectionDeadlines implements Timed {
  deadline = Infinity;
  wheelIndex = -1;
  readonly #wheel: TimerWheel;
  readonly #owner: DeadlineOwner;
  #read = Infinity;
  #write = Infinity;

  constructor(wheel: TimerWheel, owner: DeadlineOwner) {
    this.#wheel = wheel;
    this.#owner = owner;
  }

  start(): void {
    this.#wheel.add(this);
  }

  /** No deadline is told of any more. */
  stop(): void {
    this.#wheel.remove(this);
  }

  /** In milliseconds from now. */
  setRead(timeout: number): void {
    this.#read = this.#wheel.after(timeout);
    this.deadline = Math.min(this.#read, this.#write);
  }

  clearRead(): void {
    this.#read = Infinity;
    this.deadline = this.#write;
  }

  /** In milliseconds from now. */
  setWrite(timeout: number): void {
    this.#write = this.#wheel.after(timeout);
    this.deadline = Math.min(this.#read, this.#write);
  }

  clearWrite(): void {
    this.#write = Infinity;
    this.deadline = this.#read;
  }

  get writeIsSet(): boolean {
    return this.#write !== Infinity;
  }

  clear(): void {
    this.#read = this.#write = this.deadline = Infinity;
  }

  onDeadline(time: number): void {
    if (this.#write <= time) {
      this.clearWrite();
      if (!this.#owner.writeOverdue()) return;
    }
    if (this.#read > time) return;
    this.clearRead();
    this.#owner.readOverdue(time);
  }
}
