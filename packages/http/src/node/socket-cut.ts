import type { Socket } from "node:net";

/**
 * Closes `socket` so that the other side cannot take what it has for a whole message: with a TCP reset, or over TLS
 * by going away without close_notify.
 */
export function cutSocket(socket: Socket): void {
  if (socket.destroyed) return;
  if ("encrypted" in socket) {
    socket.destroy();
    return;
  }
  try {
    socket.resetAndDestroy();
  } catch {
    // Not TCP (a Unix socket, an in-memory pair): a plain close is the hardest there is.
    socket.destroy();
  }
}
