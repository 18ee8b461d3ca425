import type { RouteConfig } from "../route-config.ts";
import type { MirrorConfig, TrafficSplitConfig } from "../traffic-config.ts";
import type { IssueCollector } from "./issue-collector.ts";
import { quoted } from "./issue-collector.ts";
import { checkNumber, checkTime } from "./validate-retry.ts";

/** RFC 9110, 5.6.2; the names of cookies are tokens too (RFC 6265, 4.1.1). */
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const largestWeight = 1_000_000;

/** `TrafficSplit` and `Mirror` of a route. */
export function validateTraffic(route: RouteConfig, found: IssueCollector): void {
  if (route.trafficSplit !== undefined && route.trafficSplit !== null) checkSplit(route.trafficSplit, found);
  if (route.mirror === undefined || route.mirror === null) return;
  checkMirror(route.mirror, found);
  if (route.respond || route.redirect) {
    found.error("mirror-not-forwarded", ["Mirror"], "only requests that are forwarded can be mirrored", { hint: "leave Mirror out, or write a ClusterId" });
  }
}

function checkSplit(split: TrafficSplitConfig, found: IssueCollector): void {
  const entries = Object.entries(split.clusters ?? {});
  const path = ["TrafficSplit", "Clusters"];
  if (entries.length === 0) {
    found.error("traffic-split-clusters", path, "a TrafficSplit needs Clusters", { hint: 'write Clusters: { "stable": 95, "canary": 5 }' });
  }
  const seen = new Set<string>();
  let total = 0;
  for (const [id, weight] of entries) {
    if (seen.has(id.toLowerCase())) found.error("traffic-split-clusters", [...path, id], `cluster '${quoted(id)}' stands twice; ids ignore case`);
    seen.add(id.toLowerCase());
    checkNumber("traffic-split-weight", [...path, id], weight ?? Number.NaN, [0, largestWeight], found);
    total += Number.isFinite(weight) ? weight : 1;
  }
  if (entries.length > 0 && total === 0) {
    found.error("traffic-split-clusters", path, "the weights of a TrafficSplit come to nothing", { hint: "give one of the clusters a weight above 0" });
  }
  const { sticky, overrideHeader } = split;
  if (sticky !== undefined && sticky !== null) {
    checkStickyName(sticky.name, `Sticky on a ${sticky.on === "Header" ? "header" : "cookie"} needs a Name`, found);
    for (const [member, value] of [["MaxAge", sticky.cookie?.maxAge], ["Expiration", sticky.cookie?.expiration]] as const) {
      if (value === undefined || value === null || value > 0) continue;
      found.error("traffic-split-cookie", ["TrafficSplit", "Sticky", "Cookie", member], `${member} of the cookie must be above 0`, { value });
    }
    for (const [member, value] of [["Path", sticky.cookie?.path], ["Domain", sticky.cookie?.domain]] as const) {
      if (value && !/^[\x20-\x3a\x3c-\x7e]*$/.test(value)) {
        found.error("traffic-split-cookie", ["TrafficSplit", "Sticky", "Cookie", member], `the ${member} of the cookie holds what no attribute can`, { value });
      }
    }
  }
  if (overrideHeader && !token.test(overrideHeader)) {
    found.error("traffic-split-name", ["TrafficSplit", "OverrideHeader"], `'${quoted(overrideHeader)}' can be no name of a header`, { value: overrideHeader });
  }
}

function checkStickyName(name: string | null | undefined, missing: string, found: IssueCollector): void {
  const path = ["TrafficSplit", "Sticky", "Name"];
  if (!name) found.error("traffic-split-name", path, missing);
  else if (!token.test(name)) found.error("traffic-split-name", path, `'${quoted(name)}' can be no name of a cookie or header`, { value: name });
}

function checkMirror(mirror: MirrorConfig, found: IssueCollector): void {
  if (!mirror.clusterId) found.error("mirror-cluster-missing", ["Mirror", "ClusterId"], "a Mirror needs a ClusterId", { hint: "the cluster that gets the copies" });
  checkNumber("mirror-number", ["Mirror", "Percent"], mirror.percent, [0, 100], found);
  checkNumber("mirror-number", ["Mirror", "MaxBodySize"], mirror.maxBodySize, [0, 16_777_216], found);
  checkNumber("mirror-number", ["Mirror", "MaxConcurrent"], mirror.maxConcurrent, [1, Number.MAX_SAFE_INTEGER], found);
  checkTime("mirror-number", ["Mirror", "Timeout"], mirror.timeout, found);
}
