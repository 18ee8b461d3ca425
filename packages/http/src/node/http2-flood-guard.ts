/** What one connection may do within a second, or within the longer time since the last look. */
export interface Http2FloodLimits {
  /** Bytes of frames that carry nothing for us: control frames, empty ones, refused header blocks. */
  readonly unexplainedBytes: number;
  readonly pings: number;
  readonly settings: number;
  /** Streams that ended by a reset: at once, and then per second. */
  readonly resetBurst: number;
  readonly resetRate: number;
}

/** Measured against browsers, curl, h2load and gRPC, which stay below a tenth of each. */
export const defaultHttp2FloodLimits: Http2FloodLimits = {
  unexplainedBytes: 65_536,
  pings: 100,
  settings: 20,
  resetBurst: 200,
  resetRate: 33,
};

const frameHeader = 9;
/** HPACK may write a field a little longer than it is; a HEADERS frame has up to 15 bytes of its own. */
const overheadPerField = 4;
const overheadPerStream = 64;
/** Who is sent much acknowledges it with WINDOW_UPDATE frames of 13 bytes, one per kilobyte at the most. */
const acknowledgedPerByte = 1024;
const maximumAbandoned = 4_194_304;

/**
 * Tells floods from use. Node shows neither every frame nor its number, but the bytes that came: what requests and bodies
 * do not explain are frames that only cost (CVE-2019-9511 to -9518, CVE-2023-44487, CVE-2024-27983, CVE-2025-8671).
 */
export class Http2FloodGuard {
  readonly #limits: Http2FloodLimits;
  #explained = 0;
  #pings = 0;
  #settings = 0;
  #resets: number;
  #abandoned = 0;
  #held = 0;
  #read = 0;
  #written = 0;
  #time: number;

  constructor(time: number, limits: Http2FloodLimits = defaultHttp2FloodLimits) {
    this.#limits = limits;
    this.#resets = limits.resetBurst;
    this.#time = time;
  }

  /** A header block of `fields` fields with `size` bytes was understood. */
  head(fields: number, size: number): void {
    this.#explained += size + fields * overheadPerField + overheadPerStream;
  }

  /** A DATA frame brought `count` bytes, padding included as far as it is known. */
  data(count: number): void {
    this.#explained += count + frameHeader;
  }

  ping(): void {
    this.#pings++;
  }

  settings(): void {
    this.#settings++;
  }

  /** A stream ended before its body: up to `count` bytes may be on their way that nobody will ever see. */
  abandoned(count: number): void {
    this.#abandoned = Math.min(maximumAbandoned, this.#abandoned + count);
  }

  /** A stream was reset, by the client or because of what it did. */
  reset(): void {
    this.#resets--;
  }

  /**
   * What is wrong, or undefined. `read` and `written` count the bytes of the connection, `held` those of bodies that
   * wait for their reader; `time` is in milliseconds.
   */
  check(time: number, read: number, written: number, held: number): string | undefined {
    const limits = this.#limits;
    const elapsed = Math.max(0, time - this.#time) / 1000;
    const seconds = Math.max(1, elapsed);
    const acknowledgements = ((written - this.#written) / acknowledgedPerByte) * 13;
    let unexplained = read - this.#read - this.#explained - (held - this.#held) - acknowledgements;
    if (unexplained > 0 && this.#abandoned > 0) {
      const used = Math.min(unexplained, this.#abandoned);
      this.#abandoned -= used;
      unexplained -= used;
    }
    this.#resets = Math.min(limits.resetBurst, this.#resets + elapsed * limits.resetRate);
    const fault = this.#fault(unexplained, seconds);
    this.#time = time;
    this.#read = read;
    this.#written = written;
    this.#held = held;
    this.#explained = 0;
    this.#pings = 0;
    this.#settings = 0;
    return fault;
  }

  #fault(unexplained: number, seconds: number): string | undefined {
    const limits = this.#limits;
    if (unexplained > limits.unexplainedBytes * seconds) return "too many frames that carry nothing";
    if (this.#pings > limits.pings * seconds) return "too many PING frames";
    if (this.#settings > limits.settings * seconds) return "too many SETTINGS frames";
    if (this.#resets < 0) return "too many streams are reset";
    return undefined;
  }
}
