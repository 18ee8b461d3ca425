import type { DestinationConfig } from "@proxy/config";
import type { DestinationDrain } from "./drains.ts";
import { HealthLog } from "./health/health-log.ts";
import { h32 } from "./xxhash.ts";

/** As one kind of check sees a destination. `Unknown`: not judged yet, or again; it gets requests like a healthy one. */
export type HealthStatus = "Unknown" | "Healthy" | "Unhealthy";

/** What follows from the configuration of one destination; replaced as a whole when that changes. */
export interface DestinationModel {
  readonly config: DestinationConfig;
}

/**
 * One destination at run time. It keeps its identity, and with it health and counters, as long as its id stays in
 * its cluster, also when the address changes.
 */
export class DestinationState {
  readonly id: string;
  /** The id in upper case: ids compare and sort without regard to case. */
  readonly sortKey: string;
  /** 32 bits that follow from the id, ignoring case: for hashing. */
  readonly idHash: number;
  /** Swapped on reload; read it once per request. */
  model: DestinationModel;
  /** Requests under way to this destination, upgraded connections included. */
  inFlight = 0;
  /** As configured; 0 or above. */
  weight: number;
  /** Lower numbers first. */
  priority: number;
  /** Since when it has been available, by the cluster's clock; undefined while it is not. */
  availableSince: number | undefined = undefined;
  /** By active and by passive health; independent of one another. Set by `HealthUpdater`. */
  activeHealth: HealthStatus = "Unknown";
  passiveHealth: HealthStatus = "Unknown";
  /** Taken out for a time because it stands out from its peers; independent of both. Set by `HealthUpdater`. */
  ejected = false;
  /** Requests that the limiter of the cluster let through to it and that are not over. */
  admitted = 0;
  /** Why it gets no new requests, whatever its health; undefined while it does. Set by `Drains`. */
  drain: DestinationDrain | undefined = undefined;
  /** Aborted by a drain that says farewell to WebSockets. Made by the first that wants to hear of it. */
  farewell: AbortController | undefined = undefined;
  /** Changes of health with their reasons, and the last probes. */
  readonly healthLog = new HealthLog();

  constructor(id: string, model: DestinationModel) {
    this.id = id;
    this.sortKey = id.toUpperCase();
    this.idHash = h32(this.sortKey);
    this.model = model;
    this.weight = model.config.weight ?? 1;
    this.priority = model.config.priority ?? 0;
  }

  /** Takes what a reload brings. */
  use(model: DestinationModel): void {
    this.model = model;
    this.weight = model.config.weight ?? 1;
    this.priority = model.config.priority ?? 0;
  }
}
