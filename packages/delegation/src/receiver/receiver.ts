/**
 * The other end: listens on a Unix-domain socket for gateways of the same user and serves the connections of clients that they hand
 * over. See `../unix/channel.ts` for what is said in which order.
 */
import { once } from "node:events";
import { chmod } from "node:fs/promises";
import type { Server as HttpServer } from "node:http";
import { createServer, type Server, type Socket } from "node:net";
import { fileDescriptorOf, stopHandle, type AdoptingServer } from "@proxy/http";
import { DelegationError } from "../errors.ts";
import { frame, frameKind, FrameReader, protocolVersion } from "../unix/frames.ts";
import { libc, type Libc } from "../unix/libc.ts";
import { checkSocketDirectory } from "../unix/socket-directory.ts";
import { adoptIntoEngine } from "./adopt-into-engine.ts";
import { adoptIntoHttpServer } from "./adopt-into-http-server.ts";
import type { BorrowedConnection } from "./borrowed-connection.ts";
import { GatewayDoor, type DoorContext } from "./gateway-door.ts";
import type { Adopt } from "./lender.ts";
import { claimSocketPath, systemClaimSteps, type ClaimSteps, type SocketLock } from "./socket-path.ts";

export interface ReceiverOptions {
  /** Absolute path of the socket. Its directory is made if it is missing, and must be reached by this user alone (0700). */
  readonly path: string;
  /** Who answers: a server of `node:http` (which need not listen), or one made by `createEngineServer`. */
  readonly server: HttpServer | AdoptingServer;
  /** Most connections that this process serves by hand-over; beyond it they are refused, and the gateway answers 503. Default no limit. */
  readonly maxConnections?: number | undefined;
  /**
   * Most connections that went back of which this process keeps its copy open, so that the next request of them comes without a descriptor.
   * Each is an open file; the oldest is dropped for a new one. Default 1024.
   */
  readonly maxKeptConnections?: number | undefined;
  /** Told of what goes wrong between the processes. Must not throw. */
  readonly onFault?: ((error: Error) => void) | undefined;
}

export interface DelegationReceiver {
  readonly path: string;
  /** Connections of clients that this process serves now. */
  readonly connectionCount: number;
  /** Connections that gateways have now, and of which this process keeps a copy. */
  readonly keptCount: number;
  /** Connections that came, and that went back. */
  readonly counts: { readonly received: number; readonly returned: number; readonly refused: number };
  /** Takes no more connections and removes the socket. Those it has are the server's, and are served on. */
  close(): Promise<void>;
}

/** Listens; rejects with `DelegationError` when this machine cannot, or another process listens there. */
export function createReceiver(options: ReceiverOptions): Promise<DelegationReceiver> {
  return openReceiver(options);
}

/** As `createReceiver`, with the steps that make the path its own. */
export async function openReceiver(options: ReceiverOptions, steps?: ClaimSteps): Promise<DelegationReceiver> {
  const native = libc();
  const { path } = options;
  await checkSocketDirectory(path, "create");
  const lock = await claimSocketPath(path, steps ?? systemClaimSteps(native));
  const receiver = new Receiver(options, native, lock);
  try {
    await receiver.listen();
  } catch (cause) {
    await receiver.close();
    throw new DelegationError("FAILED", `'${path}' cannot be listened at: ${(cause as Error).message}`, { cause });
  }
  return receiver;
}

class Receiver implements DelegationReceiver, DoorContext {
  readonly path: string;
  readonly counts = { received: 0, returned: 0, refused: 0 };
  connectionCount = 0;
  readonly kept = new Set<BorrowedConnection>();
  readonly maxConnections: number;
  readonly maxKept: number;
  readonly adopt: Adopt;
  readonly libc: Libc;
  readonly onFault: (error: Error) => void;
  /** Doors that wait for their carrier, by token. */
  readonly waiting = new Map<string, GatewayDoor>();
  readonly doors = new Set<GatewayDoor>();
  readonly #server: Server;
  readonly #lock: SocketLock;
  readonly #peers = new Set<Socket>();

  constructor({ path, server, maxConnections, maxKeptConnections, onFault }: ReceiverOptions, native: Libc, lock: SocketLock) {
    this.path = path;
    this.#lock = lock;
    this.libc = native;
    this.maxConnections = maxConnections ?? Infinity;
    this.maxKept = maxKeptConnections ?? 1024;
    this.onFault = onFault ?? (() => undefined);
    this.adopt = "adoptConnection" in server ? adoptIntoEngine(server) : adoptIntoHttpServer(server);
    this.#server = createServer((socket) => this.#connected(socket));
    // Two for each gateway. What comes beyond is closed at once, before it can say anything.
    this.#server.maxConnections = mostPeers;
    this.#server.on("error", (error) => this.onFault(error));
  }

  get keptCount(): number {
    return this.kept.size;
  }

  async listen(): Promise<void> {
    const listening = once(this.#server, "listening");
    // Exclusive: a worker of node:cluster would share the socket of its primary, which no lock is about.
    this.#server.listen({ path: this.path, exclusive: true });
    await listening;
    await chmod(this.path, 0o600);
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    // The socket is gone with that: who starts now need not wait for what is still said to gateways.
    this.#lock.release();
    for (const door of this.doors) {
      this.#peers.delete(door.socket);
      door.close();
    }
    for (const peer of this.#peers) peer.destroy();
    await closed;
  }

  #connected(socket: Socket): void {
    this.#peers.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => this.#peers.delete(socket));
    const fd = fileDescriptorOf(socket);
    if (fd === undefined || this.libc.peerUser(fd) !== process.geteuid?.()) {
      this.onFault(new DelegationError("REFUSED", "a process of another user has connected"));
      socket.destroy();
      return;
    }
    greet(this, socket);
  }
}

/** Connections of gateways, known or not yet: other users get none, but a mad process of this one must not use up all files. */
const mostPeers = 512;
/** Milliseconds for the first words. */
const greetingTime = 2000;

/** Finds out whether a new connection is a door or the carrier of one. */
function greet(receiver: Receiver, socket: Socket): void {
  const frames = new FrameReader();
  const limit = setTimeout(() => socket.destroy(), greetingTime);
  let door: GatewayDoor | undefined;
  let isCarrier = false;
  const hear = (kind: number, _id: number, payload: Buffer): void => {
    if (kind !== frameKind.hello || door !== undefined || isCarrier) throw new Error("words out of order");
    const hello = JSON.parse(payload.toString()) as { readonly version?: unknown; readonly token?: unknown } | null;
    if (hello?.version !== protocolVersion) {
      socket.end(frame(frameKind.hello, 0, Buffer.from(JSON.stringify({ version: protocolVersion }))));
      throw new Error(`a gateway speaks version ${String(hello?.version)} of the protocol, this process ${protocolVersion}`);
    }
    if (typeof hello.token === "string") {
      isCarrier = true;
      clearTimeout(limit);
      attachCarrier(receiver, socket, hello.token);
      return;
    }
    door = new GatewayDoor(receiver, socket, () => clearTimeout(limit));
    receiver.doors.add(door);
    receiver.waiting.set(door.token, door);
  };
  socket.on("close", () => {
    clearTimeout(limit);
    if (door === undefined) return;
    receiver.doors.delete(door);
    receiver.waiting.delete(door.token);
    door.closed();
  });
  socket.on("data", (chunk: Buffer) => {
    try {
      if (door === undefined) frames.read(chunk, hear);
      else door.data(chunk);
    } catch (cause) {
      receiver.onFault(new Error("a gateway says what cannot be understood", { cause }));
      if (!socket.writableEnded) socket.destroy();
    }
  });
}

function attachCarrier(receiver: Receiver, socket: Socket, token: string): void {
  const door = receiver.waiting.get(token);
  receiver.waiting.delete(token);
  if (door === undefined) {
    socket.destroy();
    return;
  }
  // No descriptor is sent before the answer to this: from here on Node reads nothing of it.
  socket.removeAllListeners("data");
  socket.pause();
  stopHandle(socket);
  door.attach(socket);
}
