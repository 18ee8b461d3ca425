/**
 * The other end: listens on a Unix-domain socket for gateways of the same user and serves the connections of clients that they hand
 * over. See `../unix/channel.ts` for what is said in which order.
 */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmod, unlink } from "node:fs/promises";
import type { Server as HttpServer } from "node:http";
import { connect, createServer, Socket, type Server } from "node:net";
import { fileDescriptorOf, stopHandle, type AdoptingServer } from "@proxy/http";
import { DelegationError } from "../errors.ts";
import { frame, frameKind, FrameReader, protocolVersion, readHandOver, type HandOver } from "../unix/frames.ts";
import { libc, type Libc } from "../unix/libc.ts";
import { checkSocketDirectory } from "../unix/socket-directory.ts";
import { adoptIntoEngine } from "./adopt-into-engine.ts";
import { adoptIntoHttpServer } from "./adopt-into-http-server.ts";
import type { Adopt, Lender } from "./lender.ts";

export interface ReceiverOptions {
  /** Absolute path of the socket. Its directory is made if it is missing, and must be reached by this user alone (0700). */
  readonly path: string;
  /** Who answers: a server of `node:http` (which need not listen), or one made by `createEngineServer`. */
  readonly server: HttpServer | AdoptingServer;
  /** Most connections that this process has by hand-over; beyond it they are refused, and the gateway answers 503. Default no limit. */
  readonly maxConnections?: number | undefined;
  /** Told of what goes wrong between the processes. Must not throw. */
  readonly onFault?: ((error: Error) => void) | undefined;
}

export interface DelegationReceiver {
  readonly path: string;
  /** Connections of clients that this process has now. */
  readonly connectionCount: number;
  /** Connections that came, and that went back. */
  readonly counts: { readonly received: number; readonly returned: number; readonly refused: number };
  /** Takes no more connections and removes the socket. Those it has are the server's, and are served on. */
  close(): Promise<void>;
}

/** Listens; rejects with `DelegationError` when this machine cannot, or another process listens there. */
export async function createReceiver(options: ReceiverOptions): Promise<DelegationReceiver> {
  const native = libc();
  await checkSocketDirectory(options.path, "create");
  await removeStale(options.path);
  const receiver = new Receiver(options, native);
  await receiver.listen();
  return receiver;
}

/** A socket that nobody listens at is what a process leaves that was killed. */
async function removeStale(path: string): Promise<void> {
  const probe = connect(path);
  try {
    await once(probe, "connect");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ECONNREFUSED") await unlink(path).catch(() => undefined);
    return;
  } finally {
    probe.destroy();
  }
  throw new DelegationError("REFUSED", `another process listens at '${path}'`);
}

interface Counts {
  received: number;
  returned: number;
  refused: number;
}

class Receiver implements DelegationReceiver {
  readonly path: string;
  readonly counts: Counts = { received: 0, returned: 0, refused: 0 };
  connectionCount = 0;
  readonly maxConnections: number;
  readonly adopt: Adopt;
  readonly libc: Libc;
  readonly onFault: (error: Error) => void;
  /** Doors that wait for their carrier, by token. */
  readonly doors = new Map<string, Gateway>();
  readonly #server: Server;
  readonly #peers = new Set<Socket>();

  constructor({ path, server, maxConnections, onFault }: ReceiverOptions, native: Libc) {
    this.path = path;
    this.libc = native;
    this.maxConnections = maxConnections ?? Infinity;
    this.onFault = onFault ?? (() => undefined);
    this.adopt = "adoptConnection" in server ? adoptIntoEngine(server) : adoptIntoHttpServer(server);
    this.#server = createServer((socket) => this.#connected(socket));
    this.#server.on("error", (error) => this.onFault(error));
  }

  async listen(): Promise<void> {
    const listening = once(this.#server, "listening");
    this.#server.listen(this.path);
    await listening;
    await chmod(this.path, 0o600);
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
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

/** Milliseconds for the first words. */
const greetingTime = 2000;

/** Finds out whether a new connection is a door or the carrier of one. */
function greet(receiver: Receiver, socket: Socket): void {
  const frames = new FrameReader();
  const limit = setTimeout(() => socket.destroy(), greetingTime);
  let gateway: Gateway | undefined;
  let isCarrier = false;
  socket.on("close", () => {
    clearTimeout(limit);
    gateway?.closed();
  });
  socket.on("data", (chunk: Buffer) => {
    try {
      if (gateway !== undefined) {
        gateway.data(chunk);
        return;
      }
      frames.read(chunk, (kind, _id, payload) => {
        if (kind !== frameKind.hello || gateway !== undefined || isCarrier) throw new Error("words out of order");
        const hello = JSON.parse(payload.toString()) as { readonly version?: unknown; readonly token?: unknown };
        if (hello.version !== protocolVersion) {
          socket.end(frame(frameKind.hello, 0, Buffer.from(JSON.stringify({ version: protocolVersion }))));
          throw new Error(`a gateway speaks version ${String(hello.version)} of the protocol, this process ${protocolVersion}`);
        }
        if (typeof hello.token === "string") {
          isCarrier = true;
          clearTimeout(limit);
          attachCarrier(receiver, socket, hello.token);
          return;
        }
        gateway = new Gateway(receiver, socket, limit);
      });
    } catch (cause) {
      receiver.onFault(new Error("a gateway says what cannot be understood", { cause }));
      if (!socket.writableEnded) socket.destroy();
    }
  });
}

function attachCarrier(receiver: Receiver, socket: Socket, token: string): void {
  const door = receiver.doors.get(token);
  receiver.doors.delete(token);
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

/** One gateway, once its door is open. */
class Gateway {
  readonly #receiver: Receiver;
  readonly #door: Socket;
  readonly #frames = new FrameReader();
  readonly #token: string = randomBytes(16).toString("hex");
  readonly #limit: NodeJS.Timeout;
  #carrier: Socket | undefined;
  #carrierFd = -1;
  #open = true;

  constructor(receiver: Receiver, door: Socket, limit: NodeJS.Timeout) {
    this.#receiver = receiver;
    this.#door = door;
    this.#limit = limit;
    receiver.doors.set(this.#token, this);
    door.write(frame(frameKind.hello, 0, Buffer.from(JSON.stringify({ version: protocolVersion, token: this.#token }))));
  }

  attach(carrier: Socket): void {
    clearTimeout(this.#limit);
    this.#carrier = carrier;
    this.#carrierFd = fileDescriptorOf(carrier) ?? -1;
    carrier.on("close", () => this.#door.destroy());
    this.#frames.trust();
    this.#door.write(frame(frameKind.ready, 0));
  }

  closed(): void {
    this.#open = false;
    this.#receiver.doors.delete(this.#token);
    this.#carrier?.destroy();
    this.#carrierFd = -1;
  }

  /** All that came is acknowledged before anything of it is served: what the gateway does not hear of never began. */
  data(chunk: Buffer): void {
    const taken: (() => void)[] = [];
    this.#door.cork();
    try {
      this.#frames.read(chunk, (kind, id, payload) => {
        if (kind !== frameKind.handOver || this.#carrierFd < 0) throw new Error(`frame ${kind} out of order`);
        const serve = this.#receive(id, readHandOver(payload));
        if (serve !== undefined) taken.push(serve);
      });
    } finally {
      this.#door.uncork();
      for (const serve of taken) serve();
    }
  }

  #receive(id: number, handOver: HandOver): (() => void) | undefined {
    const receiver = this.#receiver;
    const fd = receiver.libc.receiveDescriptor(this.#carrierFd);
    if (fd < 0) throw new Error(`no descriptor came: error ${-fd}`);
    if (receiver.connectionCount >= receiver.maxConnections) {
      receiver.counts.refused++;
      receiver.libc.close(fd);
      this.#door.write(frame(frameKind.refused, id, Buffer.from("it has as many as it may")));
      return undefined;
    }
    const socket = new Socket({ fd, allowHalfOpen: true });
    receiver.counts.received++;
    receiver.connectionCount++;
    this.#door.write(frame(frameKind.accepted, id));
    const lender = handOver.mode === "perRequest" ? this.#lender(id) : undefined;
    let returned = false;
    socket.on("error", () => undefined);
    socket.on("close", () => {
      receiver.connectionCount--;
      if (lender !== undefined && !returned && this.#open) this.#door.write(frame(frameKind.finished, id));
    });
    const giveBack: Lender | undefined = lender && ((own, rest) => {
      const outcome = lender(own, rest);
      returned = outcome === "taken";
      return outcome;
    });
    return () => receiver.adopt(socket, handOver, giveBack);
  }

  #lender(id: number): Lender {
    return (socket, rest) => {
      if (!this.#open || this.#carrierFd < 0) return "close";
      const fd = fileDescriptorOf(socket);
      if (fd === undefined || this.#receiver.libc.sendDescriptor(this.#carrierFd, fd) !== 0) return "stays";
      this.#receiver.counts.returned++;
      this.#door.write(frame(frameKind.handBack, id, rest));
      return "taken";
    };
  }
}
