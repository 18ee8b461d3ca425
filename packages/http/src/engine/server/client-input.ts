import type { ConnectionSocket } from "./connection-socket.ts";
import { InputBuffer } from "./input-buffer.ts";

/** Requests and pieces of bodies used in one go; then others have their turn. */
const maximumSteps = 256;
/** Bytes read and dropped of a connection from which nothing more is wanted. */
const maximumDropped = 8_388_608;

/** Who uses what comes in. */
export interface InputOwner {
  /** Uses some of what is held; false when there is nothing more to do for now. */
  step(): boolean;
  /** `step` has thrown. */
  broken(error: unknown): void;
  /** Whether more is to be read while `held` bytes wait. */
  mayRead(held: number): boolean;
  /** What was held back while others had their turn was used. */
  caughtUp(): void;
}

/**
 * What came from a client and was not used yet, and whether its socket is read: uses it step by step, lets others have their turn, and
 * stops the socket when too much waits.
 */
export class ClientInput {
  readonly buffer = new InputBuffer();
  /** What comes means nothing any more. */
  deaf = false;
  /** Others have their turn, or it is held: what came waits. */
  waiting = false;
  /** The owner is using what came. */
  stepping = false;
  readonly #socket: ConnectionSocket;
  readonly #owner: InputOwner;
  #reading = true;
  #held = false;
  #dropped = 0;

  constructor(socket: ConnectionSocket, owner: InputOwner) {
    this.#socket = socket;
    this.#owner = owner;
  }

  /** Lets the owner use what came in, as far as it can. */
  use(): void {
    if (this.stepping || this.waiting) return;
    this.stepping = true;
    const owner = this.#owner;
    try {
      let steps = 0;
      while (owner.step()) {
        if (++steps < maximumSteps) continue;
        this.waiting = true;
        setImmediate(() => this.#goOn());
        break;
      }
    } catch (error) {
      owner.broken(error);
    }
    this.stepping = false;
    this.#throttle();
  }

  /** From now on what comes is for `drop`. */
  deafen(): void {
    this.deaf = true;
    this.buffer.clear();
  }

  /** Counts bytes that nobody wants; false when there were too many. */
  drop(count: number): boolean {
    this.#dropped += count;
    return this.#dropped <= maximumDropped;
  }

  get droppedTooMuch(): boolean {
    return this.#dropped > maximumDropped;
  }

  /** Nothing is read or used until `unhold`. */
  hold(): void {
    this.#held = true;
    this.waiting = true;
    this.stop();
  }

  /** The connection goes on elsewhere: what came is forgotten, and nothing is read or used until `takeBack`. */
  release(): void {
    this.#held = false;
    this.buffer.clear();
  }

  /** Ends `hold`: goes on with what came. */
  unhold(): void {
    this.#held = false;
    this.#goOn();
  }

  stop(): void {
    if (!this.#reading) return;
    this.#reading = false;
    this.#socket.pause();
  }

  /** The connection goes on here again. */
  takeBack(): void {
    this.restart();
    this.waiting = false;
  }

  /** Reads the socket, whatever stopped it. */
  restart(): void {
    this.#reading = true;
    this.#socket.resume();
  }

  #goOn(): void {
    if (this.#held) return;
    this.waiting = false;
    this.use();
    if (!this.waiting) this.#owner.caughtUp();
  }

  /** Stops or starts reading from the socket, by what is held. */
  #throttle(): void {
    const read = !this.waiting && this.#owner.mayRead(this.buffer.length);
    if (read === this.#reading) return;
    if (read) {
      this.#reading = true;
      this.#socket.resume();
    } else {
      this.stop();
    }
  }
}
