import { randomBytes } from "node:crypto";
import { Socket } from "node:net";
import { constants } from "node:os";
import { fileDescriptorOf } from "@proxy/http";
import { frame, frameKind, FrameReader, handBackFrame, protocolVersion, readHandOver, type FrameListener, type HandBack, type HandOver } from "../unix/frames.ts";
import type { Libc } from "../unix/libc.ts";
import { BorrowedConnection, type BorrowedFrom } from "./borrowed-connection.ts";
import type { Adopt } from "./lender.ts";

/** What a door shares with the others of its receiver. */
export interface DoorContext {
  readonly libc: Libc;
  readonly adopt: Adopt;
  readonly maxConnections: number;
  readonly maxKept: number;
  /** Connections being served. */
  connectionCount: number;
  /** Copies of connections that gateways have, the one that was given back first before the others. */
  readonly kept: Set<BorrowedConnection>;
  readonly counts: { received: number; returned: number; refused: number };
}

interface Arrival {
  readonly connection: BorrowedConnection;
  readonly handOver: HandOver;
  readonly isNew: boolean;
}

/** One gateway, once its door is open: see `../unix/channel.ts` for what is said in which order. */
export class GatewayDoor implements BorrowedFrom {
  /** Shown by the carrier that belongs to this door. */
  readonly token: string = randomBytes(16).toString("hex");
  readonly socket: Socket;
  readonly #context: DoorContext;
  readonly #onAttached: () => void;
  readonly #frames = new FrameReader();
  readonly #connections = new Map<number, BorrowedConnection>();
  #arrived: Arrival[] = [];
  #carrier: Socket | undefined;
  #isOpen = true;

  constructor(context: DoorContext, socket: Socket, onAttached: () => void) {
    this.#context = context;
    this.socket = socket;
    this.#onAttached = onAttached;
    this.write(frame(frameKind.hello, 0, Buffer.from(JSON.stringify({ version: protocolVersion, token: this.token }))));
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  write(bytes: Buffer): void {
    if (this.#isOpen) this.socket.write(bytes);
  }

  countServed(change: 1 | -1): void {
    this.#context.connectionCount += change;
  }

  returns(connection: BorrowedConnection, handBack: HandBack): void {
    const { kept, maxKept, counts } = this.#context;
    counts.returned++;
    this.write(handBackFrame(connection.id, handBack));
    if (!handBack.keepsCopy) return;
    kept.add(connection);
    if (kept.size <= maxKept) return;
    const [oldest] = kept;
    oldest?.drop();
  }

  keepsNot(connection: BorrowedConnection): void {
    this.#context.kept.delete(connection);
  }

  leaves(connection: BorrowedConnection): void {
    if (this.#connections.get(connection.id) === connection) this.#connections.delete(connection.id);
  }

  attach(carrier: Socket): void {
    this.#carrier = carrier;
    this.#onAttached();
    carrier.on("close", () => {
      if (this.#isOpen) this.socket.destroy();
    });
    this.#frames.trust();
    this.write(frame(frameKind.ready, 0));
  }

  /** Says farewell: what came is served to its end. */
  close(): void {
    this.write(frame(frameKind.closing, 0));
    this.closed();
    const door = this.socket;
    door.destroySoon();
    // A gateway that reads nothing would keep it for ever.
    const limit = setTimeout(() => door.destroy(), farewellTime);
    door.once("close", () => clearTimeout(limit));
  }

  /** The gateway has gone, or is not listened to any more. */
  closed(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#carrier?.destroy();
    for (const connection of this.#connections.values()) connection.forgotten();
  }

  /** All that came is acknowledged before anything of it is served: what the gateway does not hear of never began. Throws for nonsense. */
  data(chunk: Buffer): void {
    if (!this.#isOpen) return;
    this.socket.cork();
    try {
      this.#frames.read(chunk, this.#take);
    } finally {
      this.socket.uncork();
      const arrived = this.#arrived;
      this.#arrived = [];
      for (const { connection, handOver, isNew } of arrived) {
        if (isNew) connection.adopt(this.#context.adopt, handOver);
        else connection.serve(handOver);
      }
    }
  }

  readonly #take: FrameListener = (kind, id, payload) => {
    if (kind === frameKind.handOver && this.#carrier !== undefined) this.#receive(id, readHandOver(payload), this.#carrier);
    else if (kind === frameKind.forget) this.#connections.get(id)?.forgotten();
    else throw new Error(`frame ${kind} out of order`);
  };

  #receive(id: number, handOver: HandOver, carrier: Socket): void {
    const known = this.#connections.get(id);
    if (known?.isKept === false || (known !== undefined && handOver.hasDescriptor)) throw new Error("a connection that is here was handed over");
    if (handOver.hasDescriptor) this.#open(id, handOver, carrier);
    else if (known?.isAlive !== true) {
      known?.forgotten();
      this.write(frame(frameKind.missing, id));
    } else if (this.#isFull) {
      known.forgotten();
      this.#refuse(id, full);
    } else {
      known.takeUp();
      this.#accept(id, { connection: known, handOver, isNew: false });
    }
  }

  #open(id: number, handOver: HandOver, carrier: Socket): void {
    const { libc } = this.#context;
    const fd = libc.receiveDescriptor(fileDescriptorOf(carrier) ?? -1);
    if (fd === -constants.errno.EMFILE) return this.#refuse(id, "it has as many files open as it may");
    if (fd < 0) throw new Error(`no descriptor came: error ${-fd}`);
    if (this.#isFull) {
      libc.close(fd);
      this.#refuse(id, full);
      return;
    }
    const socket = this.#socketOf(fd);
    const isOwn = handOver.mode === "sticky";
    const connection = new BorrowedConnection(this, id, socket, isOwn);
    if (!isOwn) this.#connections.set(id, connection);
    this.#accept(id, { connection, handOver, isNew: true });
  }

  /** Throws for what is no stream. */
  #socketOf(fd: number): Socket {
    try {
      return new Socket({ fd, allowHalfOpen: true });
    } catch (error) {
      this.#context.libc.close(fd);
      throw error;
    }
  }

  get #isFull(): boolean {
    return this.#context.connectionCount >= this.#context.maxConnections;
  }

  #accept(id: number, arrival: Arrival): void {
    this.#context.counts.received++;
    this.write(frame(frameKind.accepted, id));
    this.#arrived.push(arrival);
  }

  #refuse(id: number, reason: string): void {
    this.#context.counts.refused++;
    this.write(frame(frameKind.refused, id, Buffer.from(reason)));
  }
}

/** Milliseconds for the last words. */
const farewellTime = 1000;
const full = "it has as many as it may";
