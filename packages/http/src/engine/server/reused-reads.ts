import { Socket } from "node:net";

interface ReadableHandle {
  useUserBuffer?(buffer: Uint8Array): void;
}

/** The parts of a socket that its documented option `onread` sets, which accepted sockets cannot be given. */
interface Internals {
  readonly buffer: symbol;
  readonly callback: symbol;
}

let internals: Internals | undefined | null = null;

/**
 * Lets an accepted socket read into memory that is used again for each read, as `onread` does for sockets that
 * one opens: it saves an allocation of 64 KiB, a round through the stream and a tick per read. Node has no option for
 * accepted sockets, so this sets what `onread` would set. False, and nothing is changed, when this Node is not
 * built so; then the socket's "data" event is to be used.
 */
export function reuseReads(socket: Socket, memory: Buffer, listener: (count: number) => void): boolean {
  if (internals === null) internals = findInternals();
  const handle = (socket as unknown as { readonly _handle?: ReadableHandle | null })._handle;
  if (internals === undefined || typeof handle?.useUserBuffer !== "function") return false;
  const slots = socket as unknown as Record<symbol, unknown>;
  slots[internals.buffer] = memory;
  slots[internals.callback] = listener;
  handle.useUserBuffer(memory);
  return true;
}

function findInternals(): Internals | undefined {
  const memory = new Uint8Array(1);
  const callback = (): boolean => true;
  const probe = new Socket({ onread: { buffer: memory, callback } });
  const slots = probe as unknown as Record<symbol, unknown>;
  const symbols = Object.getOwnPropertySymbols(probe);
  const bufferSlot = symbols.find((symbol) => slots[symbol] === memory);
  const callbackSlot = symbols.find((symbol) => slots[symbol] === callback);
  probe.destroy();
  return bufferSlot === undefined || callbackSlot === undefined ? undefined : { buffer: bufferSlot, callback: callbackSlot };
}
