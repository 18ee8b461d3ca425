import type { HealthListener } from "@proxy/cluster";
import type { ProxyLogger } from "./logger.ts";

/** Tells the logger of changes of health. */
export function healthEvents(logger: ProxyLogger): HealthListener {
  return (cluster, destination, { kind, from, to, reason }) => {
    // What is well at first is no news.
    const level = to === "Unhealthy" ? "warning" : from === "Unknown" ? "debug" : "info";
    logger.event(level, "destination-health-changed", { cluster: cluster.id, destination: destination.id, kind, from, to, reason });
  };
}
