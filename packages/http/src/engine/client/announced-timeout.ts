const timeoutParameter = /(?:^|[\s,;])timeout=(\d{1,9})(?![^\s,;])/i;

let lastValue = "";
let lastTimeout = Infinity;

/**
 * The milliseconds that `Keep-Alive: timeout=5` announces (RFC 2068, 19.7.1.1; as used today), `Infinity` without a
 * readable one. Destinations say the same in every response: the last value is remembered.
 */
export function announcedTimeout(value: string): number {
  if (value !== lastValue) {
    const match = timeoutParameter.exec(value);
    lastValue = value;
    lastTimeout = match === null ? Infinity : Number(match[1]) * 1000;
  }
  return lastTimeout;
}
