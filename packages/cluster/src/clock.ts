/** Time as policies and monitors see it; tests hand in their own. */
export interface Clock {
  /** Milliseconds that only go forward, from any point. */
  now(): number;
  /** Milliseconds since 1970, for what people and cookies read. */
  date(): number;
  /** Calls `run` once after `delay` milliseconds. Gives how to call that off. */
  after(delay: number, run: () => void): () => void;
}

/** Node fires at once what should wait longer than this. */
const longestDelay = 2 ** 31 - 1;

/** The machine's time. Its timers do not keep the process alive. */
export const systemClock: Clock = {
  now: () => performance.now(),
  date: () => Date.now(),
  after(delay, run) {
    const timer = setTimeout(run, Math.min(delay, longestDelay)).unref();
    return () => clearTimeout(timer);
  },
};
