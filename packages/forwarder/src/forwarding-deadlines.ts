import type { ForwardOptions } from "./forward-options.ts";
import { ForwardingState, over } from "./forwarding-state.ts";
import type { WheelEntry } from "./timer-wheel.ts";

/**
 * The clock of one forwarding: one entry of the wheel, for whichever of three deadlines comes first. The route's and the attempt's
 * end with the response head; the activity timeout begins anew with each byte moved.
 */
export abstract class ForwardingDeadlines extends ForwardingState implements WheelEntry {
  /** The route's time is over, before the head. */
  protected abstract routeTimedOut(): void;
  protected abstract attemptTimedOut(): void;
  /** Whether it is the client's body that is waited for: the destination gets its time anew then. */
  protected abstract waitsForClient(): boolean;
  /** No byte moved for the activity timeout. */
  protected abstract stalled(): void;
  /** Comes with each tick that the wheel was asked for. */
  protected abstract ticked(): void;

  protected startClock({ timeout, attempt }: ForwardOptions): void {
    const { wheel } = this;
    if (timeout !== undefined) this.routeTick = wheel.after(timeout);
    if (attempt?.timeout !== undefined) {
      this.attemptTicks = wheel.ticks(attempt.timeout);
      this.attemptTick = wheel.after(attempt.timeout);
    }
    wheel.add(this, this.nextCheck());
  }

  touch(): void {
    this.lastTick = this.wheel.tick;
  }

  onProgress(): void {
    this.lastTick = this.wheel.tick;
  }

  protected headCame(): void {
    this.lastTick = this.wheel.tick;
    this.routeTick = 0;
    this.attemptTick = 0;
  }

  check(tick: number): number {
    if (this.phase === over) return 0;
    if (this.routeTick > 0 && tick >= this.routeTick) {
      this.routeTimedOut();
      return 0;
    }
    if (this.attemptTick > 0 && tick >= this.attemptTick) {
      if (!this.waitsForClient()) {
        this.attemptTimedOut();
        return 0;
      }
      this.attemptTick = tick + this.attemptTicks;
    }
    if (tick - this.lastTick >= this.activityTicks) {
      this.stalled();
      return 0;
    }
    this.ticked();
    return (this.phase as number) === over ? 0 : this.nextCheck();
  }

  private nextCheck(): number {
    const idle = this.lastTick + this.activityTicks;
    const next = this.routeTick > 0 && this.routeTick < idle ? this.routeTick : idle;
    return this.attemptTick > 0 && this.attemptTick < next ? this.attemptTick : next;
  }
}
