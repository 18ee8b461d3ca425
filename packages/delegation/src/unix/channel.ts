/**
 * The way from the gateway to one other process, over two connections to its socket: the door, an ordinary one for frames, and the
 * carrier, over which descriptors go and which nobody but this file reads or writes (Node's own reads would discard them).
 *
 * 1. The door opens; the other side must be the same user. Both say hello: protocol version, and a token from the other side.
 * 2. The carrier opens and shows the token; the other side stops reading it and says ready.
 * 3. A hand-over: the descriptor over the carrier, then its frame through the door. Until `accepted` comes the gateway owns the
 *    connection: whatever happens, it is told and answers. The other side says `accepted` before it does anything.
 * 4. `handBack`: a descriptor the other way. `finished`: the connection is over.
 */
import { connect, Socket } from "node:net";
import { constants } from "node:os";
import { fileDescriptorOf, stopHandle, type HeldConnection } from "@proxy/http";
import { DelegationError } from "../errors.ts";
import { frame, frameKind, FrameReader, handOverFrame, maximumFrame, protocolVersion, type DelegationMode } from "./frames.ts";
import { libc, type Libc } from "./libc.ts";
import { checkSocketDirectory } from "./socket-directory.ts";

export interface ChannelOptions {
  /** Milliseconds to be connected and known in. Default 2000. */
  readonly attachTimeout?: number | undefined;
  /** Milliseconds in which the other process must take a connection; then the channel is given up. Default 5000. */
  readonly acceptTimeout?: number | undefined;
  /** Most connections on their way and not taken yet. Default 128. */
  readonly backlog?: number | undefined;
}

/** Told when the hand-over is over: without an error, the other process has the connection. */
export type HandOverDone = (error: DelegationError | undefined) => void;

interface Waiting {
  readonly held: HeldConnection;
  readonly mode: DelegationMode;
  readonly since: number;
  readonly done: HandOverDone;
}

/** A door that the other process is slower to read than this has no place for more. */
const maximumUnsent = 1_048_576;

/** Connects to the process that listens at `path`. Rejects with `DelegationError`. */
export async function openChannel(path: string, options: ChannelOptions = {}): Promise<Channel> {
  const native = libc();
  await checkSocketDirectory(path, "must-exist");
  const channel = new Channel(path, native, options);
  await channel.opened;
  return channel;
}

export class Channel {
  readonly opened: Promise<void>;
  /** Told once, with the reason when it was not `close`. */
  onClosed: ((cause: DelegationError | undefined) => void) | undefined;
  readonly #path: string;
  readonly #libc: Libc;
  readonly #options: ChannelOptions;
  readonly #door: Socket;
  readonly #frames = new FrameReader();
  readonly #opening = Promise.withResolvers<void>();
  readonly #openingLimit: NodeJS.Timeout;
  /** By id, oldest first. */
  readonly #waiting = new Map<number, Waiting>();
  /** Connections that will come back, by id. */
  readonly #lent = new Map<number, HeldConnection>();
  #carrier: Socket | undefined;
  #carrierFd = -1;
  #timer: NodeJS.Timeout | undefined;
  #nextId = 1;
  #state: "opening" | "open" | "closed" = "opening";

  constructor(path: string, native: Libc, options: ChannelOptions) {
    this.#path = path;
    this.#libc = native;
    this.#options = options;
    this.opened = this.#opening.promise;
    const timeout = options.attachTimeout ?? 2000;
    this.#openingLimit = setTimeout(() => this.#fail(new DelegationError("FAILED", `'${path}' did not answer within ${timeout} ms`)), timeout);
    this.#door = connect(path);
    this.#door.on("connect", () => this.#doorOpened());
    this.#door.on("data", (chunk: Buffer) => this.#guard(() => this.#frames.read(chunk, (kind, id, payload) => this.#take(kind, id, payload))));
    this.#door.on("error", (error) => this.#fail(connectionError(path, error)));
    this.#door.on("close", () => this.#fail(new DelegationError("GONE", `the process at '${path}' has gone`)));
  }

  get isOpen(): boolean {
    return this.#state === "open";
  }

  /** Connections that the other process has and will give back or finish. */
  get lentCount(): number {
    return this.#lent.size;
  }

  get waitingCount(): number {
    return this.#waiting.size;
  }

  /** Gives a connection to the other process. `done` is called once, perhaps before this returns; with an error the caller still owns it. */
  handOver(held: HeldConnection, mode: DelegationMode, done: HandOverDone): void {
    const error = this.#send(held, mode, done);
    if (error !== undefined) done(error);
  }

  /** Ends it. Connections that the other process has stay there; what is on its way counts as not handed over. */
  close(): void {
    this.#end(undefined, new DelegationError("DISPOSED", `the way to '${this.#path}' was closed`));
  }

  #send(held: HeldConnection, mode: DelegationMode, done: HandOverDone): DelegationError | undefined {
    const path = this.#path;
    if (this.#state !== "open") return new DelegationError("GONE", `the process at '${path}' has gone`);
    const isFull = this.#waiting.size >= (this.#options.backlog ?? 128) || this.#door.writableLength > maximumUnsent;
    if (isFull) return new DelegationError("BUSY", `the process at '${path}' is behind with taking connections`);
    if (held.head.length + held.rest.length > maximumFrame - 64) return new DelegationError("FAILED", "too much of the request was read already");
    const fd = fileDescriptorOf(held.socket);
    if (fd === undefined) return new DelegationError("FAILED", "the client's connection is closed");
    const code = this.#libc.sendDescriptor(this.#carrierFd, fd);
    if (code !== 0) return sendError(path, code);
    const id = this.#nextId;
    this.#nextId = (id + 1) >>> 0 || 1;
    this.#waiting.set(id, { held, mode, since: performance.now(), done });
    this.#door.write(handOverFrame(id, { mode, bodyLength: held.bodyLength, head: held.head, rest: held.rest }));
    this.#timer ??= this.#armTimer(this.#acceptTimeout);
    return undefined;
  }

  get #acceptTimeout(): number {
    return this.#options.acceptTimeout ?? 5000;
  }

  #armTimer(after: number): NodeJS.Timeout {
    return setTimeout(() => {
      this.#timer = undefined;
      const [oldest] = this.#waiting.values();
      if (oldest === undefined) return;
      const left = oldest.since + this.#acceptTimeout - performance.now();
      if (left > 0) this.#timer = this.#armTimer(left);
      else this.#fail(new DelegationError("BUSY", `the process at '${this.#path}' does not take connections`));
    }, Math.max(1, after));
  }

  #doorOpened(): void {
    const fd = fileDescriptorOf(this.#door);
    if (fd === undefined || this.#libc.peerUser(fd) !== process.geteuid?.()) {
      this.#fail(new DelegationError("REFUSED", `the process at '${this.#path}' belongs to another user`));
      return;
    }
    this.#door.write(frame(frameKind.hello, 0, Buffer.from(JSON.stringify({ version: protocolVersion }))));
  }

  #take(kind: number, id: number, payload: Buffer): void {
    if (this.#state === "closed") return;
    switch (kind) {
      case frameKind.hello:
        if (this.#state === "opening" && this.#carrier === undefined) return this.#openCarrier(JSON.parse(payload.toString()));
        break;
      case frameKind.ready:
        if (this.#state === "opening" && this.#carrierFd >= 0) return this.#isReady();
        break;
      case frameKind.accepted:
        return this.#accepted(id);
      case frameKind.refused:
        return this.#refused(id, payload.toString());
      case frameKind.handBack:
        return this.#handBack(id, Buffer.from(payload));
      case frameKind.finished:
        this.#lent.delete(id);
        return;
      default:
    }
    throw new Error(`frame ${kind} out of order`);
  }

  #openCarrier(hello: { readonly version?: unknown; readonly token?: unknown }): void {
    const path = this.#path;
    if (hello.version !== protocolVersion) {
      this.#fail(new DelegationError("REFUSED", `the process at '${path}' speaks version ${String(hello.version)} of the protocol, this one ${protocolVersion}`));
      return;
    }
    const carrier = connect(path);
    this.#carrier = carrier;
    // Before it is connected: Node must not read a single byte of it.
    carrier.pause();
    carrier.on("connect", () => {
      stopHandle(carrier);
      this.#carrierFd = fileDescriptorOf(carrier) ?? -1;
      carrier.write(frame(frameKind.hello, 0, Buffer.from(JSON.stringify({ version: protocolVersion, token: String(hello.token) }))));
    });
    carrier.on("error", (error) => this.#fail(connectionError(path, error)));
    carrier.on("close", () => this.#fail(new DelegationError("GONE", `the process at '${path}' has gone`)));
  }

  #isReady(): void {
    clearTimeout(this.#openingLimit);
    this.#frames.trust();
    this.#state = "open";
    // A gateway that has nothing else to do may end.
    this.#door.unref();
    this.#carrier?.unref();
    this.#opening.resolve();
  }

  #accepted(id: number): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) throw new Error("accepted what was not sent");
    this.#waiting.delete(id);
    if (waiting.mode === "perRequest") this.#lent.set(id, waiting.held);
    waiting.done(undefined);
  }

  #refused(id: number, reason: string): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) throw new Error("refused what was not sent");
    this.#waiting.delete(id);
    waiting.done(new DelegationError("BUSY", `the process at '${this.#path}' refused the connection: ${reason}`));
  }

  #handBack(id: number, rest: Buffer): void {
    const fd = this.#libc.receiveDescriptor(this.#carrierFd);
    if (fd < 0) throw new Error(`no descriptor came: error ${-fd}`);
    const held = this.#lent.get(id);
    if (held === undefined) {
      this.#libc.close(fd);
      return;
    }
    this.#lent.delete(id);
    held.takeBack(new Socket({ fd, allowHalfOpen: true }), rest);
  }

  #guard(call: () => void): void {
    try {
      call();
    } catch (cause) {
      this.#fail(new DelegationError("FAILED", `the process at '${this.#path}' says what cannot be understood`, { cause }));
    }
  }

  #fail(cause: DelegationError): void {
    this.#end(cause, cause);
  }

  #end(cause: DelegationError | undefined, forWaiting: DelegationError): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    clearTimeout(this.#openingLimit);
    clearTimeout(this.#timer);
    this.#door.destroy();
    this.#carrier?.destroy();
    this.#carrierFd = -1;
    this.#lent.clear();
    this.#opening.reject(forWaiting);
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    const lost = new DelegationError(forWaiting.code, forWaiting.message, { cause: forWaiting.cause, mayBeShared: true });
    for (const { done } of waiting) done(lost);
    this.onClosed?.(cause);
  }
}

function connectionError(path: string, cause: Error): DelegationError {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === "ENOENT" || code === "ECONNREFUSED") return new DelegationError("NOT_FOUND", `nobody listens at '${path}'`, { cause });
  if (code === "EACCES" || code === "EPERM") return new DelegationError("REFUSED", `no permission to connect to '${path}'`, { cause });
  return new DelegationError("GONE", `the connection to '${path}' failed: ${cause.message}`, { cause });
}

const { errno } = constants;
const busy: ReadonlySet<number> = new Set([errno.EAGAIN, errno.EWOULDBLOCK, errno.ENOBUFS, errno.ENOMEM, 109 /* ETOOMANYREFS on Linux */]);
const gone: ReadonlySet<number> = new Set([errno.EPIPE, errno.ECONNRESET, errno.ENOTCONN, errno.ECONNREFUSED]);

function sendError(path: string, code: number): DelegationError {
  if (gone.has(code)) return new DelegationError("GONE", `the process at '${path}' has gone`);
  if (busy.has(code)) return new DelegationError("BUSY", `the process at '${path}' is behind with taking connections`);
  return new DelegationError("FAILED", `a connection could not be sent to '${path}': error ${code}`);
}
