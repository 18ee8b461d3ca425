import type { HealthListener, HealthMonitorOptions } from "@proxy/cluster";
import type { ProxyLogger } from "./logger.ts";

/** Tells the logger of changes of health. */
export function healthEvents(logger: ProxyLogger): HealthListener {
  return (cluster, destination, { kind, from, to, reason }) => {
    if (kind === "outlier") {
      const fields = { cluster: cluster.id, destination: destination.id, reason };
      if (to === "Unhealthy") logger.event("warning", "destination-ejected", fields);
      else logger.event("info", "destination-returned", fields);
      return;
    }
    // What is well at first is no news.
    const level = to === "Unhealthy" ? "warning" : from === "Unknown" ? "debug" : "info";
    logger.event(level, "destination-health-changed", { cluster: cluster.id, destination: destination.id, kind, from, to, reason });
  };
}

/** Tells the logger of each probe. */
export function probeEvents(logger: ProxyLogger): NonNullable<HealthMonitorOptions["onProbe"]> {
  return (cluster, destination, { duration, status, error }) =>
    logger.event("debug", "destination-probed", { cluster: cluster.id, destination: destination.id, status, error, durationMs: Math.round(duration) });
}
