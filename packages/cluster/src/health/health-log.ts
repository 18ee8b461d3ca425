import type { HealthStatus } from "../destination-state.ts";

/** `outlier`: Unhealthy is ejected. */
export type HealthKind = "active" | "passive" | "outlier";

/** One change of a destination's health. */
export interface HealthTransition {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly kind: HealthKind;
  readonly from: HealthStatus;
  readonly to: HealthStatus;
  /** In words, for people: "2 probes in a row failed, the last with status 503". */
  readonly reason: string;
}

/** How one probe went. */
export interface ProbeRecord {
  /** When it was sent, in milliseconds since 1970. */
  readonly at: number;
  /** Milliseconds it took. */
  readonly duration: number;
  /** Of the answer; undefined when there was none. */
  readonly status: number | undefined;
  /** Why there was none. */
  readonly error: string | undefined;
}

/** How many of each are kept per destination. */
const kept = 16;

/** What became of a destination's health lately, oldest first. */
export class HealthLog {
  #transitions: readonly HealthTransition[] = [];
  #probes: readonly ProbeRecord[] = [];

  get transitions(): readonly HealthTransition[] {
    return this.#transitions;
  }

  get probes(): readonly ProbeRecord[] {
    return this.#probes;
  }

  addTransition(transition: HealthTransition): void {
    this.#transitions = [...this.#transitions.slice(1 - kept), transition];
  }

  addProbe(probe: ProbeRecord): void {
    this.#probes = [...this.#probes.slice(1 - kept), probe];
  }
}
