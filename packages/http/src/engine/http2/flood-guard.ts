/** What one connection may do. Rates are per second; a burst is what may come at once. */
export interface FloodLimits {
  /** Frames that carry nothing for us: empty ones, WINDOW_UPDATE, PRIORITY, unknown ones, by their size. */
  readonly idleFrameBurst: number;
  readonly idleFrameRate: number;
  readonly pingBurst: number;
  readonly pingRate: number;
  readonly settingsBurst: number;
  readonly settingsRate: number;
  /** Streams that ended by a reset, or by what the client did wrong. */
  readonly resetBurst: number;
  readonly resetRate: number;
}

/** Measured against browsers, curl, h2load and gRPC, which stay below a tenth of each. */
export const defaultFloodLimits: FloodLimits = {
  idleFrameBurst: 8000,
  idleFrameRate: 6000,
  pingBurst: 100,
  pingRate: 100,
  settingsBurst: 20,
  settingsRate: 20,
  resetBurst: 200,
  resetRate: 33,
};

/** Bytes of a frame that cost as much as the frame itself. */
const bytesPerFrame = 64;
/** Who is sent much acknowledges it, a kilobyte at a time at the most. */
const acknowledgedPerByte = 1024;

/**
 * Counts what costs us and brings nothing (CVE-2019-9511 to -9518, CVE-2023-44487, CVE-2024-27983, CVE-2025-8671). Each kind has a
 * bucket that fills up with time; one that is empty ends the connection at once. Each method returns false for that.
 */
export class FloodGuard {
  readonly #limits: FloodLimits;
  /** Milliseconds, perhaps a tick old. */
  readonly #now: () => number;
  #idleFrames: number;
  #pings: number;
  #settings: number;
  #resets: number;
  #filled: number;
  #sent = 0;

  constructor(now: () => number, limits: FloodLimits = defaultFloodLimits) {
    this.#limits = limits;
    this.#now = now;
    this.#filled = now();
    this.#idleFrames = limits.idleFrameBurst;
    this.#pings = limits.pingBurst;
    this.#settings = limits.settingsBurst;
    this.#resets = limits.resetBurst;
  }

  /** A frame that changes nothing, with `size` bytes of payload; `position`: how many bytes we have sent by now. */
  idleFrame(size: number, position: number): boolean {
    this.#idleFrames -= 1 + size / bytesPerFrame;
    if (this.#idleFrames >= 0) return true;
    this.#idleFrames += (position - this.#sent) / acknowledgedPerByte;
    this.#sent = position;
    this.#fill();
    return this.#idleFrames >= 0;
  }

  ping(): boolean {
    if (--this.#pings >= 0) return true;
    this.#fill();
    return this.#pings >= 0;
  }

  settings(): boolean {
    if (--this.#settings >= 0) return true;
    this.#fill();
    return this.#settings >= 0;
  }

  reset(): boolean {
    if (--this.#resets >= 0) return true;
    this.#fill();
    return this.#resets >= 0;
  }

  #fill(): void {
    const limits = this.#limits;
    const now = this.#now();
    const seconds = (now - this.#filled) / 1000;
    this.#filled = now;
    this.#idleFrames = Math.min(limits.idleFrameBurst, this.#idleFrames + seconds * limits.idleFrameRate);
    this.#pings = Math.min(limits.pingBurst, this.#pings + seconds * limits.pingRate);
    this.#settings = Math.min(limits.settingsBurst, this.#settings + seconds * limits.settingsRate);
    this.#resets = Math.min(limits.resetBurst, this.#resets + seconds * limits.resetRate);
  }
}
