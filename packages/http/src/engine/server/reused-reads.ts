import { type OnReadOpts, Socket } from "node:net";
import { TLSSocket } from "node:tls";

interface ReadableHandle {
  useUserBuffer?(buffer: Uint8Array): void;
}

/** The parts of a socket that its documented option `onread` sets, which accepted sockets cannot be given. */
export interface OnReadSlots {
  readonly buffer: symbol;
  readonly callback: symbol;
}

let slots: OnReadSlots | undefined | null = null;

/**
 * Lets an accepted socket read into memory that is used again for each read, as `onread` does for sockets that
 * one opens: it saves an allocation of 64 KiB, a round through the stream and a tick per read. Node has no option for
 * accepted sockets, so this sets what `onread` would set. `memory` must live as long as the process: the system is given
 * its bare address.
 *
 * False, and nothing is changed, when this Node is not built so, when the socket holds bytes already, or when it is a
 * TLS socket, which may read while it writes: then the socket's "data" event is to be used.
 */
export function reuseReads(socket: Socket, memory: Buffer, listener: (count: number) => void): boolean {
  if (slots === null) slots = findOnReadSlots((onread) => new Socket(onread === undefined ? {} : { onread }));
  const handle = (socket as unknown as { readonly _handle?: ReadableHandle | null })._handle;
  if (slots === undefined || typeof handle?.useUserBuffer !== "function") return false;
  if (socket instanceof TLSSocket || socket.readableLength > 0) return false;
  const fields = socket as unknown as Record<symbol, unknown>;
  fields[slots.buffer] = memory;
  fields[slots.callback] = listener;
  handle.useUserBuffer(memory);
  return true;
}

/**
 * Finds where a socket keeps what `onread` gives it, by comparing one made with the option and one made without. Only
 * when these two are all that differs is it known how to set them: undefined otherwise.
 */
export function findOnReadSlots(make: (onread: OnReadOpts | undefined) => object): OnReadSlots | undefined {
  const memory = new Uint8Array(1);
  const callback = (): boolean => true;
  const plain = make(undefined) as Record<PropertyKey, unknown>;
  const probe = make({ buffer: memory, callback }) as Record<PropertyKey, unknown>;
  let buffer: symbol | undefined;
  let called: symbol | undefined;
  let others = Reflect.ownKeys(plain).filter((key) => !Object.hasOwn(probe, key)).length;
  for (const key of Reflect.ownKeys(probe)) {
    const value = probe[key];
    if (typeof key === "symbol" && value === memory) buffer = key;
    else if (typeof key === "symbol" && value === callback) called = key;
    else if (!Object.hasOwn(plain, key) || !alike(value, plain[key])) others++;
  }
  return buffer === undefined || called === undefined || others > 0 ? undefined : { buffer, callback: called };
}

/** Objects are each socket's own. */
function alike(one: unknown, other: unknown): boolean {
  return Object.is(one, other) || (typeof one === "object" && typeof other === "object" && one !== null && other !== null);
}
