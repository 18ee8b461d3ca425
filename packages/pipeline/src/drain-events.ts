import type { DrainListener } from "@proxy/cluster";
import type { ProxyLogger } from "./logger.ts";

/** Tells the logger of destinations that drain. */
export function drainEvents(logger: ProxyLogger): DrainListener {
  return (cluster, destination, { kind, cause, inFlight }) => {
    const fields = { cluster: cluster.id, destination: destination.id, cause, inFlight };
    if (kind === "draining") logger.event("info", "destination-draining", fields);
    else if (kind === "drained") logger.event("info", "destination-drained", fields);
    else logger.event("info", "destination-undrained", fields);
  };
}
