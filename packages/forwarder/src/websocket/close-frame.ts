import { randomFillSync } from "node:crypto";

/** What a server says that shuts down (RFC 6455, 7.4.1). */
export const goingAway = 1001;

/** A Close with it, as a server sends it. */
const frameForClient: Uint8Array = Uint8Array.of(0x88, 0x02, goingAway >> 8, goingAway & 0xff);

/** The same as clients send it: masked (RFC 6455, 5.3). */
function frameForDestination(): Uint8Array {
  const frame = Uint8Array.of(0x88, 0x82, 0, 0, 0, 0, 0, 0);
  randomFillSync(frame, 2, 4);
  frame[6] = (goingAway >> 8) ^ (frame[2] as number);
  frame[7] = (goingAway & 0xff) ^ (frame[3] as number);
  return frame;
}

/** A Close with 1001 for the client or for a destination. */
export function goingAwayFrame(forClient: boolean): Uint8Array {
  return forClient ? frameForClient : frameForDestination();
}
