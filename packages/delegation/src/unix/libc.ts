/**
 * The calls of the system that Node has no way to: handing an open file to another process over a Unix-domain socket
 * (`sendmsg`, `recvmsg` with SCM_RIGHTS, unix(7), cmsg(3)), who is at its other end (SO_PEERCRED, getpeereid), and a lock that goes with its
 * process (flock(2)).
 *
 * Every message is one byte with one descriptor, in memory that is used again: a byte is sent as a whole or not at all, and
 * a reader of one byte gets one descriptor. What belongs to it travels over another socket.
 */
import { createRequire } from "node:module";
import { constants } from "node:os";
import { DelegationError } from "../errors.ts";

/** What is used of koffi. */
interface Koffi {
  load(path: string | null): { func(prototype: string): (...args: never[]) => unknown };
  address(memory: Uint8Array): bigint;
  errno(): number;
}

export interface Libc {
  /** Sends a copy of `fd` over the socket `channel`; 0, or the number of the error. Never blocks. */
  sendDescriptor(channel: number, fd: number): number;
  /**
   * The descriptor that comes next over `channel`, or minus the number of the error: EMFILE when it came and this process has as many as it
   * may. Never blocks.
   */
  receiveDescriptor(channel: number): number;
  /** The numeric id of the user at the other end, or -1. */
  peerUser(channel: number): number;
  /** Locks an open file for as long as it is open: 0, or the number of the error; EWOULDBLOCK when another process has the lock. Never blocks. */
  lock(fd: number): number;
  close(fd: number): void;
}

interface Layout {
  readonly headerSize: number;
  readonly controlLengthAt: number;
  readonly flagsAt: number;
  readonly levelAt: number;
  readonly descriptorAt: number;
  /** For one descriptor and no more: what does not fit the system closes. */
  readonly controlSpace: number;
  readonly solSocket: number;
  readonly dontWait: number;
  readonly sendFlags: number;
  readonly receiveFlags: number;
  readonly truncated: number;
}

const linux: Layout = {
  headerSize: 56, controlLengthAt: 40, flagsAt: 48, levelAt: 8, descriptorAt: 16, controlSpace: 20,
  // MSG_NOSIGNAL; MSG_CMSG_CLOEXEC; MSG_CTRUNC
  solSocket: 1, dontWait: 0x40, sendFlags: 0x4000, receiveFlags: 0x4000_0000, truncated: 8,
};

const darwin: Layout = {
  headerSize: 48, controlLengthAt: 40, flagsAt: 44, levelAt: 4, descriptorAt: 12, controlSpace: 16,
  solSocket: 0xffff, dontWait: 0x80, sendFlags: 0, receiveFlags: 0, truncated: 0x20,
};

const scmRights = 1;
const soPeerCred = 17;
const setDescriptorFlags = 2;
const closeOnExec = 1;
/** LOCK_EX and LOCK_NB, the same on both systems. */
const exclusiveLock = 2 | 4;

let loaded: Libc | DelegationError | undefined;

/** The calls; throws `DelegationError` (`UNSUPPORTED`) that names what is missing. koffi is loaded now and not before. */
export function libc(): Libc {
  loaded ??= load();
  if (loaded instanceof DelegationError) throw loaded;
  return loaded;
}

function load(): Libc | DelegationError {
  const layout = process.platform === "linux" ? linux : process.platform === "darwin" ? darwin : undefined;
  if (layout === undefined) {
    return new DelegationError("UNSUPPORTED", `sockets cannot be handed over on ${process.platform}: only on Linux and macOS`);
  }
  let koffi: Koffi;
  try {
    koffi = createRequire(import.meta.url)("koffi") as Koffi;
  } catch (cause) {
    return new DelegationError("UNSUPPORTED", "handing sockets over needs the package koffi, which cannot be loaded: install it beside this one", { cause });
  }
  try {
    return bind(koffi, layout);
  } catch (cause) {
    return new DelegationError("UNSUPPORTED", "the C library of this system lacks what handing sockets over needs", { cause });
  }
}

type Call<Args extends readonly unknown[]> = (...args: Args) => number;

function bind(koffi: Koffi, layout: Layout): Libc {
  // The symbols of the process itself: every Node is linked against its C library.
  const library = koffi.load(null);
  const sendmsg = library.func("int64_t sendmsg(int, void *, int)") as unknown as Call<[number, Buffer, number]>;
  const recvmsg = library.func("int64_t recvmsg(int, void *, int)") as unknown as Call<[number, Buffer, number]>;
  const close = library.func("int close(int)") as unknown as Call<[number]>;
  const flock = library.func("int flock(int, int)") as unknown as Call<[number, number]>;
  const message = new Message(layout, koffi);
  const peerUser = process.platform === "linux" ? linuxPeer(library) : darwinPeer(library);
  const setFlags =
    layout === darwin ? (library.func("int fcntl(int, int, ...)") as unknown as Call<[number, number, "int", number]>) : undefined;
  return {
    peerUser,
    close: (fd) => void close(fd),
    lock: (fd) => (flock(fd, exclusiveLock) === 0 ? 0 : koffi.errno() || constants.errno.EIO),
    sendDescriptor(channel, fd) {
      message.fill(fd);
      return sendmsg(channel, message.header, layout.dontWait | layout.sendFlags) === 1 ? 0 : koffi.errno() || constants.errno.EIO;
    },
    receiveDescriptor(channel) {
      message.fill(-1);
      const count = recvmsg(channel, message.header, layout.dontWait | layout.receiveFlags);
      if (count < 0) {
        const code = koffi.errno();
        // macOS says so when it has no place for a descriptor.
        return layout === darwin && code === constants.errno.EMSGSIZE ? -constants.errno.EMFILE : -code;
      }
      if (count === 0) return -constants.errno.EPIPE;
      const fd = message.descriptor;
      if (message.isTruncated) {
        // None had place; or there were several, of which nobody asked for the first.
        if (fd >= 0) close(fd);
        return -constants.errno.EMFILE;
      }
      if (fd < 0) return -constants.errno.EPROTO;
      setFlags?.(fd, setDescriptorFlags, "int", closeOnExec);
      return fd;
    },
  };
}

/** A `struct msghdr` with one byte and room for one descriptor, laid out by hand: pointers are filled in once. */
class Message {
  readonly header: Buffer;
  readonly #control: Buffer;
  readonly #layout: Layout;
  readonly #byte = Buffer.alloc(1);
  readonly #vector = Buffer.alloc(16);

  constructor(layout: Layout, koffi: Koffi) {
    this.#layout = layout;
    this.header = Buffer.alloc(layout.headerSize);
    this.#control = Buffer.alloc(layout.controlSpace);
    this.#vector.writeBigUInt64LE(koffi.address(this.#byte), 0);
    this.#vector.writeBigUInt64LE(1n, 8);
    this.header.writeBigUInt64LE(koffi.address(this.#vector), 16);
    this.header.writeUInt32LE(1, 24);
    this.header.writeBigUInt64LE(koffi.address(this.#control), 32);
  }

  fill(fd: number): void {
    const { controlLengthAt, controlSpace, descriptorAt, flagsAt, levelAt, solSocket } = this.#layout;
    const control = this.#control;
    this.header.writeUInt32LE(controlSpace, controlLengthAt);
    this.header.writeInt32LE(0, flagsAt);
    control.fill(0);
    if (fd < 0) return;
    control.writeUInt32LE(descriptorAt + 4, 0);
    control.writeInt32LE(solSocket, levelAt);
    control.writeInt32LE(scmRights, levelAt + 4);
    control.writeInt32LE(fd, descriptorAt);
  }

  /** The system had a descriptor for this process, and could not give it one more. */
  get isTruncated(): boolean {
    return (this.header.readInt32LE(this.#layout.flagsAt) & this.#layout.truncated) !== 0;
  }

  /** Of the message received; -1 when it has none. */
  get descriptor(): number {
    const { controlLengthAt, descriptorAt, levelAt, solSocket } = this.#layout;
    const control = this.#control;
    if (this.header.readUInt32LE(controlLengthAt) < descriptorAt + 4 || control.readUInt32LE(0) !== descriptorAt + 4) return -1;
    if (control.readInt32LE(levelAt) !== solSocket || control.readInt32LE(levelAt + 4) !== scmRights) return -1;
    return control.readInt32LE(descriptorAt);
  }
}

type Library = ReturnType<Koffi["load"]>;

/** `struct ucred`: pid, uid, gid. */
function linuxPeer(library: Library): (channel: number) => number {
  const getsockopt = library.func("int getsockopt(int, int, int, void *, void *)") as unknown as
    Call<[number, number, number, Buffer, Buffer]>;
  return (channel) => {
    const credentials = Buffer.alloc(12);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(12);
    return getsockopt(channel, linux.solSocket, soPeerCred, credentials, length) === 0 ? credentials.readUInt32LE(4) : -1;
  };
}

function darwinPeer(library: Library): (channel: number) => number {
  const getpeereid = library.func("int getpeereid(int, void *, void *)") as unknown as Call<[number, Buffer, Buffer]>;
  return (channel) => {
    const user = Buffer.alloc(4);
    return getpeereid(channel, user, Buffer.alloc(4)) === 0 ? user.readUInt32LE(0) : -1;
  };
}
