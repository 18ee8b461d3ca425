import type { Socket } from "node:net";
import { resetSocket } from "../../../src/reset-socket.ts";
import { type Fault, type Step, stepAt } from "./plan.ts";
import { turns } from "./random-numbers.ts";

/**
 * Writes `text` in pieces up to the place where `fault` strikes, and lets it strike. Resolves to whether all of it was
 * written. What stalls is left to the other side, or to the end of the run. `strike` is told when the fault really came
 * to pass, on a connection that was still whole.
 */
export async function play(socket: Socket, text: string, fault: Fault, strike: (step: Step) => void): Promise<boolean> {
  const end = fault.kind === "none" ? text.length : Math.min(fault.at, text.length);
  // Single bytes only where it matters: a long body in pieces of a few bytes takes for ever.
  let pieces = fault.pieces;
  for (let from = 0; from < end; ) {
    if (socket.destroyed || socket.writableEnded) return false;
    const to = Math.min(end, from + pieces);
    socket.write(text.slice(from, to), "latin1");
    from = to;
    if (from > 400) pieces = 16_384;
    if (from < end) await turns(1);
  }
  if (fault.kind !== "none" && !socket.destroyed && !socket.writableEnded) strike(stepAt(text, end));
  switch (fault.kind) {
    case "reset":
      resetSocket(socket);
      return false;
    case "half-close":
      socket.end();
      return end === text.length;
    case "close":
      socket.destroy();
      return false;
    case "garbage":
      if (!socket.destroyed) socket.write("\0\x01garbage\r\n\r\n");
      return false;
    default:
      return end === text.length;
  }
}
