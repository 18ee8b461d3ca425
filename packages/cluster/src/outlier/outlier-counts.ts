import { isTransportFailure, type RequestOutcome } from "../health/passive-policy.ts";

/** What of an outcome tells of the destination. `none`: it is not the destination's doing. */
export type OutlierVerdict = "success" | "server-error" | "gateway-failure" | "none";

/** 502, 503, 504 and what came to no answer are gateway failures; every other 5xx is a server error. */
export function verdictOf(outcome: RequestOutcome): OutlierVerdict {
  if (outcome.clientGone) return "none";
  if (outcome.error !== undefined) {
    // A tunnel through which nothing passes for a while is a quiet one, not a failed one.
    const isItsFault =
      outcome.source === undefined ? isTransportFailure(outcome) : outcome.source === "destination" && outcome.error !== "UpgradeActivityTimeout";
    return isItsFault ? "gateway-failure" : "none";
  }
  const { status } = outcome;
  if (status === undefined) return "none";
  if (status >= 502 && status <= 504) return "gateway-failure";
  return status >= 500 ? "server-error" : "success";
}

/** What is known of one destination: failures in a row, and the requests of the interval that runs. */
export class OutlierCounts {
  consecutive5xx = 0;
  consecutiveGatewayFailure = 0;
  total = 0;
  failed = 0;
  timed = 0;
  /** Milliseconds, of all that were timed. */
  latencySum = 0;

  add(verdict: Exclude<OutlierVerdict, "none">, latency: number | undefined): void {
    this.total++;
    if (verdict === "success") {
      this.consecutive5xx = 0;
      this.consecutiveGatewayFailure = 0;
    } else {
      this.failed++;
      this.consecutive5xx++;
      if (verdict === "gateway-failure") this.consecutiveGatewayFailure++;
      else this.consecutiveGatewayFailure = 0;
    }
    if (latency === undefined) return;
    this.timed++;
    this.latencySum += latency;
  }

  /** An interval is over. */
  clearInterval(): void {
    this.total = 0;
    this.failed = 0;
    this.timed = 0;
    this.latencySum = 0;
  }

  clear(): void {
    this.clearInterval();
    this.consecutive5xx = 0;
    this.consecutiveGatewayFailure = 0;
  }
}
