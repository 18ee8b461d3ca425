/**
 * How the gateway gets to know another process, over two connections to its socket: the door, an ordinary one for frames, and the
 * carrier, over which descriptors go and which nobody but `libc.ts` reads or writes (Node's own reads would discard them).
 *
 * 1. The door opens; the other side must be the same user. Both say hello: protocol version, and a token from the other side.
 * 2. The carrier opens and shows the token; the other side stops reading it and says ready.
 */
import { connect, type Socket } from "node:net";
import { fileDescriptorOf, stopHandle } from "@proxy/http";
import { DelegationError } from "../errors.ts";
import { Channel, type ChannelOptions } from "./channel.ts";
import { connectionError, Door } from "./door.ts";
import { frame, frameKind, protocolVersion } from "./frames.ts";
import { libc, type Libc } from "./libc.ts";
import { checkSocketDirectory } from "./socket-directory.ts";

/** Connects to the process that listens at `path`. Rejects with `DelegationError`. */
export async function openChannel(path: string, options: ChannelOptions = {}): Promise<Channel> {
  const native = libc();
  await checkSocketDirectory(path, "must-exist");
  const opening = new ChannelOpening(path, native, options);
  const timeout = options.attachTimeout ?? 2000;
  const limit = setTimeout(() => opening.fail(new DelegationError("FAILED", `'${path}' did not answer within ${timeout} ms`)), timeout);
  try {
    return await opening.done;
  } finally {
    clearTimeout(limit);
  }
}

class ChannelOpening {
  readonly done: Promise<Channel>;
  readonly #path: string;
  readonly #libc: Libc;
  readonly #door: Door;
  readonly #options: ChannelOptions;
  readonly #outcome = Promise.withResolvers<Channel>();
  #carrier: Socket | undefined;
  #isShown = false;

  constructor(path: string, native: Libc, options: ChannelOptions) {
    this.#path = path;
    this.#libc = native;
    this.#options = options;
    this.done = this.#outcome.promise;
    this.#door = new Door(path);
    this.#door.onOpen = (fd) => this.#doorOpened(fd);
    this.#door.onFrame = (kind, _id, payload) => this.#take(kind, payload);
    this.#door.onLost = (cause) => this.fail(cause);
  }

  fail(cause: DelegationError): void {
    this.#door.close();
    this.#carrier?.destroy();
    this.#outcome.reject(cause);
  }

  #doorOpened(fd: number): void {
    if (this.#libc.peerUser(fd) !== process.geteuid?.()) {
      this.fail(new DelegationError("REFUSED", `the process at '${this.#path}' belongs to another user`));
      return;
    }
    this.#door.write(frame(frameKind.hello, 0, Buffer.from(JSON.stringify({ version: protocolVersion }))));
  }

  #take(kind: number, payload: Buffer): void {
    if (kind === frameKind.hello && this.#carrier === undefined) this.#openCarrier(JSON.parse(payload.toString()));
    else if (kind === frameKind.ready && this.#isShown) this.#isReady(this.#carrier as Socket);
    else if (kind === frameKind.closing) this.fail(new DelegationError("GONE", `the process at '${this.#path}' is going`));
    else throw new Error(`frame ${kind} out of order`);
  }

  #isReady(carrier: Socket): void {
    // A gateway that has nothing else to do may end.
    carrier.unref();
    this.#door.trust();
    this.#outcome.resolve(new Channel(this.#path, this.#door, carrier, this.#libc, this.#options));
  }

  #openCarrier(hello: { readonly version?: unknown; readonly token?: unknown } | null): void {
    const path = this.#path;
    if (hello?.version !== protocolVersion) {
      this.fail(new DelegationError("REFUSED", `the process at '${path}' speaks version ${String(hello?.version)} of the protocol, this one ${protocolVersion}`));
      return;
    }
    const carrier = connect(path);
    this.#carrier = carrier;
    // Before it is connected: Node must not read a single byte of it.
    carrier.pause();
    carrier.on("connect", () => {
      stopHandle(carrier);
      if (fileDescriptorOf(carrier) === undefined) return;
      this.#isShown = true;
      carrier.write(frame(frameKind.hello, 0, Buffer.from(JSON.stringify({ version: protocolVersion, token: String(hello.token) }))));
    });
    carrier.on("error", (error) => this.fail(connectionError(path, error)));
    carrier.on("close", () => this.fail(new DelegationError("GONE", `the process at '${path}' has gone`)));
  }
}
