/** Something that holds text until the callback in hand is over. */
export interface HoldsText {
  /** Sends what is held. */
  flushHeld(): void;
}

/**
 * Those that hold text until the callback in hand is over. One microtask for all of them, without a closure:
 * `nextTick` makes Node go through JavaScript once more after every read.
 */
const waiting: HoldsText[] = [];
let flushing = false;
const now = Promise.resolve();

/** Calls `holder.flushHeld` once the callback in hand is over. */
export function flushAtTurnEnd(holder: HoldsText): void {
  waiting.push(holder);
  if (flushing) return;
  flushing = true;
  void now.then(flushWaiting);
}

function flushWaiting(): void {
  flushing = false;
  for (let holder = waiting.pop(); holder !== undefined; holder = waiting.pop()) holder.flushHeld();
}
