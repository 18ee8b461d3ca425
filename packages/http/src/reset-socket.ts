import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";

/** What `resetSocket` uses of a socket. */
export type ResettableSocket = Pick<Socket, "destroy" | "resetAndDestroy" | "destroyed" | "writableEnded" | "writableFinished">;

/**
 * Cuts a connection with a reset, so that the peer does not take what it got for all there was. Over TLS, where a
 * missing close_notify says the same, and while a FIN is under way, the connection is closed plainly instead:
 * Node's `resetAndDestroy` would throw, or fail and leave the socket open for ever. Never throws.
 */
export function resetSocket(socket: ResettableSocket): void {
  if (socket.destroyed) return;
  if (socket instanceof TLSSocket || (socket.writableEnded && !socket.writableFinished)) {
    socket.destroy();
    return;
  }
  try {
    socket.resetAndDestroy();
  } catch {
    // Not TCP (a Unix socket, a socket over another stream): a plain close is the hardest there is.
    socket.destroy();
  }
}
