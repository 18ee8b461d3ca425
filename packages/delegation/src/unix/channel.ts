/**
 * The way from the gateway to one other process, once both know one another (`open-channel.ts`).
 *
 * 1. A hand-over: the descriptor over the carrier, unless the other process has a copy of it, then its frame through the door. Until
 *    `accepted` comes the gateway owns the connection: whatever happens, it is told and answers. The other side says `accepted` before it
 *    does anything.
 * 2. In mode `perRequest` the gateway's socket stays open and still meanwhile: both are the same connection to the system, so `handBack`
 *    is no more than bytes, and who goes on is who was told last.
 * 3. After `handBack` the other process keeps its copy, unread, for the next hand-over; it may drop it at any time.
 * 4. `finished`: the connection is over. `forget`: the gateway has closed it.
 * 5. When the other process dies, the connections it had are reset. When either side says farewell, it serves them to their end.
 */
import type { Socket } from "node:net";
import { constants } from "node:os";
import { fileDescriptorOf, type HeldConnection } from "@proxy/http";
import { DelegationError } from "../errors.ts";
import type { Door } from "./door.ts";
import { frame, frameKind, handOverFrame, maximumFrame, readHandBack, type DelegationMode } from "./frames.ts";
import type { Libc } from "./libc.ts";
import { SocketCopies } from "./socket-copies.ts";

export interface ChannelOptions {
  /** Milliseconds to be connected and known in. Default 2000. */
  readonly attachTimeout?: number | undefined;
  /** Milliseconds in which the other process must take a connection; then the channel is given up. Default 5000. */
  readonly acceptTimeout?: number | undefined;
  /** Most connections on their way and not taken yet: 128 of them were sent, others wait here for their turn. Default 4096. */
  readonly backlog?: number | undefined;
}

/** Told when the hand-over is over: without an error, the other process has the connection. */
export type HandOverDone = (error: DelegationError | undefined) => void;

/** Not sent yet. */
interface Queued {
  readonly held: HeldConnection;
  readonly mode: DelegationMode;
  readonly since: number;
  readonly done: HandOverDone;
}

interface Waiting extends Queued {
  hasDescriptor: boolean;
}

/** Most that were sent and not taken yet: the system holds no more than some 200 descriptors on their way. */
const maximumWaiting = 128;
const defaultBacklog = 4096;
/** A door that the other process is slower to read than this has no place for more. */
const maximumUnsent = 1_048_576;

export class Channel {
  /** Told once, with the reason when it was not `close`. */
  onClosed: ((cause: DelegationError | undefined) => void) | undefined;
  readonly #path: string;
  readonly #libc: Libc;
  readonly #options: ChannelOptions;
  readonly #door: Door;
  readonly #carrier: Socket;
  /** By number, oldest first. */
  readonly #waiting = new Map<number, Waiting>();
  /** Have their turn when others were taken, oldest first. Empty while none is on its way. */
  #queue: Queued[] = [];
  /** Connections that will come back, by number. */
  readonly #lent = new Map<number, HeldConnection>();
  readonly #copies = new SocketCopies((id) => {
    this.#lent.delete(id);
    this.#door.write(frame(frameKind.forget, id));
  });
  #timer: NodeJS.Timeout | undefined;
  #isOpen = true;

  /** Owns `door` and `carrier` from now on. */
  constructor(path: string, door: Door, carrier: Socket, native: Libc, options: ChannelOptions) {
    this.#path = path;
    this.#libc = native;
    this.#options = options;
    this.#door = door;
    this.#carrier = carrier;
    door.onFrame = (kind, id, payload) => this.#take(kind, id, payload);
    door.onLost = (cause) => this.#lost(cause);
    carrier.removeAllListeners();
    carrier.on("error", () => undefined);
    carrier.on("close", () => this.#lost(this.#gone()));
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Connections that the other process has and will give back or finish. */
  get lentCount(): number {
    return this.#lent.size;
  }

  get waitingCount(): number {
    return this.#waiting.size + this.#queue.length;
  }

  /** Open connections of which the other process has a copy. */
  get copyCount(): number {
    return this.#copies.size;
  }

  /** Gives a connection to the other process. `done` is called once, perhaps before this returns; with an error the caller still owns it. */
  handOver(held: HeldConnection, mode: DelegationMode, done: HandOverDone): void {
    const error = this.#send(held, mode, done);
    if (error !== undefined) done(error);
  }

  /** Ends it. Connections that the other process has stay there; what is on its way counts as not handed over. */
  close(): void {
    this.#end(undefined, new DelegationError("DISPOSED", `the way to '${this.#path}' was closed`), { mayBeShared: true });
  }

  #send(held: HeldConnection, mode: DelegationMode, done: HandOverDone): DelegationError | undefined {
    if (!this.#isOpen) return this.#gone();
    if (this.waitingCount >= (this.#options.backlog ?? defaultBacklog)) return this.#behind();
    if (held.head.length + held.rest.length > maximumFrame - 64) return new DelegationError("FAILED", "too much of the request was read already");
    const queued = { held, mode, since: performance.now(), done };
    const error = this.#queue.length > 0 ? "later" : this.#start(queued);
    if (error !== "later") return error;
    this.#queue.push(queued);
    return undefined;
  }

  /** `later`: there is no place now, and there will be when one of those on their way was taken. */
  #start({ held, mode, done }: Queued): DelegationError | "later" | undefined {
    const someWait = this.#waiting.size > 0;
    if (this.#waiting.size >= maximumWaiting || this.#door.unsent > maximumUnsent) return someWait ? "later" : this.#behind();
    let id = this.#copies.idOf(held.socket);
    const hasDescriptor = id === undefined;
    if (id === undefined) {
      const error = this.#sendDescriptor(held);
      if (error !== undefined) return error.code === "BUSY" && someWait ? "later" : error;
      id = this.#copies.add(held.socket);
    }
    this.#waiting.set(id, { held, mode, since: performance.now(), done, hasDescriptor });
    this.#door.write(handOverFrame(id, { mode, hasDescriptor, bodyLength: held.bodyLength, head: held.head, rest: held.rest }));
    this.#timer ??= this.#armTimer(this.#acceptTimeout);
    return undefined;
  }

  /** One of those on their way has arrived, or has not: others have their turn. */
  #startQueued(): void {
    while (this.#isOpen) {
      const [next] = this.#queue;
      if (next === undefined) return;
      const error = this.#start(next);
      if (error === "later") return;
      this.#queue.shift();
      if (error !== undefined) next.done(error);
    }
  }

  #sendDescriptor({ socket }: HeldConnection): DelegationError | undefined {
    const fd = fileDescriptorOf(socket);
    const carrierFd = fileDescriptorOf(this.#carrier);
    if (fd === undefined) return new DelegationError("FAILED", "the client's connection is closed");
    if (carrierFd === undefined) return this.#gone();
    const code = this.#libc.sendDescriptor(carrierFd, fd);
    if (code === 0) return undefined;
    if (gone.has(code)) return this.#gone();
    if (busy.has(code)) return this.#behind();
    return new DelegationError("FAILED", `a connection could not be sent to '${this.#path}': error ${code}`);
  }

  get #acceptTimeout(): number {
    return this.#options.acceptTimeout ?? 5000;
  }

  #armTimer(after: number): NodeJS.Timeout {
    return setTimeout(() => {
      this.#timer = undefined;
      const [oldest] = this.#waiting.values();
      if (oldest === undefined) return;
      const latest = performance.now() - this.#acceptTimeout;
      if (oldest.since <= latest) return this.#stalled();
      const [queued = oldest] = this.#queue;
      this.#timer = this.#armTimer(Math.min(oldest.since, Math.max(queued.since, latest)) - latest);
      while (this.#isOpen && (this.#queue[0]?.since ?? Infinity) <= latest) this.#queue.shift()?.done(this.#behind());
    }, Math.max(1, after));
  }

  #take(kind: number, id: number, payload: Buffer): void {
    switch (kind) {
      case frameKind.accepted:
        return this.#accepted(id);
      case frameKind.handBack:
        return this.#handBack(id, payload);
      case frameKind.finished:
      case frameKind.kept:
        return this.#ended(id);
      case frameKind.dropped:
        // What is on its way will be missed over there, and asked for under the same number.
        if (!this.#waiting.has(id)) this.#copies.delete(id);
        return;
      case frameKind.missing:
        return this.#sendAgain(id);
      case frameKind.refused:
        return this.#refused(id, payload.toString());
      case frameKind.closing:
        return this.#end(this.#gone(), this.#gone(), {});
      default:
    }
    throw new Error(`frame ${kind} out of order`);
  }

  #accepted(id: number): void {
    const { held, mode, done } = this.#arrived(id);
    // Whose own copy was closed meanwhile is not heard of again.
    if (mode === "perRequest" && this.#copies.idOf(held.socket) === id) this.#lent.set(id, held);
    else this.#copies.delete(id);
    done(undefined);
    this.#startQueued();
  }

  #refused(id: number, reason: string): void {
    const { done } = this.#arrived(id);
    this.#copies.delete(id);
    done(new DelegationError("BUSY", `the process at '${this.#path}' refused the connection: ${reason}`));
    this.#startQueued();
  }

  #arrived(id: number): Waiting {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) throw new Error("an answer to what was not sent");
    this.#waiting.delete(id);
    return waiting;
  }

  #sendAgain(id: number): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined || waiting.hasDescriptor) throw new Error("a descriptor is missed that was sent, or not asked for");
    const { held, mode, done } = waiting;
    const error = this.#sendDescriptor(held);
    if (error !== undefined) {
      this.#waiting.delete(id);
      this.#copies.delete(id);
      done(error);
      this.#startQueued();
      return;
    }
    waiting.hasDescriptor = true;
    this.#door.write(handOverFrame(id, { mode, hasDescriptor: true, bodyLength: held.bodyLength, head: held.head, rest: held.rest }));
  }

  #handBack(id: number, payload: Buffer): void {
    const { keepsCopy, rest } = readHandBack(payload);
    if (this.#waiting.has(id)) throw new Error("what was not accepted is given back");
    const held = this.#lent.get(id);
    if (!keepsCopy) this.#copies.delete(id);
    if (held === undefined) return;
    this.#lent.delete(id);
    held.takeBack(rest);
  }

  #ended(id: number): void {
    if (this.#waiting.has(id)) throw new Error("what was not accepted has ended");
    const held = this.#lent.get(id);
    this.#copies.delete(id);
    this.#lent.delete(id);
    held?.letGo();
  }

  #gone(): DelegationError {
    return new DelegationError("GONE", `the process at '${this.#path}' has gone`);
  }

  #behind(): DelegationError {
    return new DelegationError("BUSY", `the process at '${this.#path}' is behind with taking connections`);
  }

  #stalled(): void {
    const cause = new DelegationError("BUSY", `the process at '${this.#path}' does not take connections`);
    this.#end(cause, cause, { mayBeShared: true });
  }

  #lost(cause: DelegationError): void {
    this.#end(cause, cause, { mayBeShared: true, isLost: true });
  }

  /** `mayBeShared`: it may have taken what was not acknowledged. `isLost`: nobody answers on the connections that it had. */
  #end(cause: DelegationError | undefined, forWaiting: DelegationError, { mayBeShared = false, isLost = false }): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    clearTimeout(this.#timer);
    this.#copies.clear();
    this.#door.close();
    this.#carrier.destroy();
    const lent = [...this.#lent.values()];
    const waiting = [...this.#waiting.values()];
    const queued = this.#queue;
    this.#lent.clear();
    this.#waiting.clear();
    this.#queue = [];
    const error = new DelegationError(forWaiting.code, forWaiting.message, { cause: forWaiting.cause, mayBeShared });
    for (const { done } of waiting) done(error);
    // Of these the other process has heard nothing.
    for (const { done } of queued) done(forWaiting);
    for (const held of lent) {
      if (isLost) held.reset();
      else held.letGo();
    }
    this.onClosed?.(cause);
  }
}

const { errno } = constants;
const busy: ReadonlySet<number> = new Set([errno.EAGAIN, errno.EWOULDBLOCK, errno.ENOBUFS, errno.ENOMEM, 109 /* ETOOMANYREFS on Linux */]);
const gone: ReadonlySet<number> = new Set([errno.EPIPE, errno.ECONNRESET, errno.ENOTCONN, errno.ECONNREFUSED]);
