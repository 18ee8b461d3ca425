import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";

/**
 * Cuts a connection with a reset, so that the peer does not take what it got for all there was. Over TLS, where a
 * missing close_notify says the same, and while a FIN is under way, the connection is closed plainly instead:
 * Node's `resetAndDestroy` would throw, or fail and leave the socket open for ever.
 */
export function resetSocket(socket: Socket): void {
  if (socket instanceof TLSSocket || (socket.writableEnded && !socket.writableFinished)) socket.destroy();
  else socket.resetAndDestroy();
}
