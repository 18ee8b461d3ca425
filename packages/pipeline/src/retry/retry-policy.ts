import type { RetryCondition, RetryConfig } from "@proxy/config";
import type { ForwarderError } from "@proxy/forwarder";
import { DestinationError } from "@proxy/http";

/** `Retry` of a route or a cluster, made ready to decide by. */
export interface RetryPolicy {
  readonly maxAttempts: number;
  readonly conditions: ReadonlySet<RetryCondition>;
  readonly statuses: ReadonlySet<number>;
  readonly methods: ReadonlySet<string>;
  /** Milliseconds. */
  readonly perTryTimeout: number | undefined;
  /** Bytes. */
  readonly maxBodySize: number;
}

/** RFC 9110, 9.2.2. */
const idempotent = ["DELETE", "GET", "HEAD", "OPTIONS", "PUT", "TRACE"];
const allConditions: readonly RetryCondition[] = ["ConnectFailure", "Reset", "Timeout"];

/** Undefined where there is nothing to do: no section, or one that is off. */
export function compileRetry(config: RetryConfig | null | undefined): RetryPolicy | undefined {
  if (config === undefined || config === null || config.enabled === false) return undefined;
  return {
    maxAttempts: config.maxAttempts ?? 3,
    conditions: new Set(config.on ?? allConditions),
    statuses: new Set(config.statusCodes ?? []),
    methods: new Set(config.methods ?? idempotent),
    perTryTimeout: config.perTryTimeout ?? undefined,
    maxBodySize: config.maxBodySize ?? 65_536,
  };
}

/** What a failure before the response head is to `Retry:On`; undefined for one that no other destination would mend. */
export function conditionOf(error: ForwarderError): RetryCondition | undefined {
  const { cause, code, source } = error;
  if (source === "client") return undefined;
  if (cause instanceof DestinationError && cause.step === "connect") return "ConnectFailure";
  // What has no such cause did not answer or take the body in time.
  if (code === "Request" || code === "RequestBodyDestination") return cause instanceof DestinationError ? "Reset" : "Timeout";
  if (source !== "destination") return undefined;
  return code === "ResponseHeaders" ? "Reset" : code === "RequestTimedOut" ? "Timeout" : undefined;
}
