/** Extension: requests of one route that are shared among clusters, or copied to another. */
import type { SessionAffinityCookieConfig } from "./cluster-config.ts";

export interface TrafficSplitConfig {
  /** Share of the requests by cluster, relative to the others; 0 is none but those that the override names. A cluster that is off gets none. */
  readonly clusters: Readonly<Record<string, number>>;
  /** Keeps a client at the cluster it was given. Default: each request is drawn anew. */
  readonly sticky?: TrafficSplitStickyConfig | undefined;
  /** A request header that names one of the clusters: it is taken, whatever its weight. What names none is ignored. Default none. */
  readonly overrideHeader?: string | undefined;
}

export interface TrafficSplitStickyConfig {
  /** `Cookie` (default): the gateway hands one out. `Header`: requests with the same value go to the same cluster. */
  readonly on?: "Cookie" | "Header" | undefined;
  /** Name of the cookie or header; required. */
  readonly name: string;
  /** Attributes of the cookie. */
  readonly cookie?: SessionAffinityCookieConfig | undefined;
}

/** Copies go to another cluster; what becomes of them never shows in the answer to the client. */
export interface MirrorConfig {
  readonly clusterId: string;
  /** Share of the requests, 0 to 100. Default 100. */
  readonly percent?: number | undefined;
  /** Bytes of a request body; requests with a larger one are not mirrored. Default 65 536. */
  readonly maxBodySize?: number | undefined;
  /** Copies under way to the cluster at a time, 1 or more; beyond them none is made. Default 100. */
  readonly maxConcurrent?: number | undefined;
  /** Milliseconds for one copy, its response included. Default 30 000. */
  readonly timeout?: number | undefined;
}
