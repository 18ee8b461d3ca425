import type { ClusterConfig, DestinationConfig, HttpVersionText, VersionPolicy } from "@proxy/config";

/** What to send, and how. */
export interface ProbeRequest {
  readonly method: string;
  /** Absolute. */
  readonly url: string;
  /** Name and value. Host is among them only where it is not that of `url`. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly version: HttpVersionText;
  readonly versionPolicy: VersionPolicy;
}

/** Makes the probe of one destination. A throw counts as a failed probe. */
export type ProbeRequestFactory = (cluster: ClusterConfig, destination: DestinationConfig) => ProbeRequest | Promise<ProbeRequest>;

/** The User-Agent of probes. */
export const probeUserAgent = "proxy (Active Health Check Monitor)";

/** GET of the destination's health address, or its address, with the path and query of the cluster's settings. */
export function probeRequest(cluster: ClusterConfig, destination: DestinationConfig): ProbeRequest {
  const active = cluster.healthCheck?.active;
  const headers: (readonly [string, string])[] = [["User-Agent", probeUserAgent]];
  if (destination.host) headers.push(["Host", destination.host]);
  return {
    method: "GET",
    url: probeUrl(destination, active?.path ?? "", active?.query ?? ""),
    headers,
    version: cluster.httpRequest?.version ?? "2",
    versionPolicy: cluster.httpRequest?.versionPolicy ?? "RequestVersionOrLower",
  };
}

/** `path` is appended to the path of the address, with one slash between them; `query` has its `?`. */
export function probeUrl(destination: DestinationConfig, path: string, query: string): string {
  const base = (destination.health || destination.address).trim();
  const separator = path === "" || base.endsWith("/") || path.startsWith("/") ? "" : "/";
  const prefix = path.startsWith("/") && base.endsWith("/") ? base.slice(0, -1) : base;
  const url = `${prefix}${separator}${path}`;
  return `${hasPath(url) ? url : `${url}/`}${query === "" || query.startsWith("?") ? query : `?${query}`}`;
}

function hasPath(url: string): boolean {
  return url.indexOf("/", url.indexOf("://") + 3) >= 0;
}
