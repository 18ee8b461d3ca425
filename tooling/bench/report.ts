/** Writes the measurements as Markdown. */
import type { Proxy } from "./proxies.ts";
import type { Shape } from "./shapes.ts";

export interface Measurement {
  readonly shape: string;
  readonly proxy: string;
  readonly round: number;
  /** CPU of the proxy's processes per request, microseconds. */
  readonly user: number;
  readonly system: number;
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly p50: number;
  readonly p99: number;
  /** KiB. */
  readonly peakRss: number;
  /** KiB that each idle connection added. */
  readonly rssPerIdleConnection: number | undefined;
  readonly errors: number;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  if (sorted.length % 2 === 1) return sorted[middle] as number;
  return ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

const cpu = (m: Measurement): number => m.user + m.system;

/** The ratio to `base` within each round, then the median of these: what a noisy minute spoils, it spoils for both. */
function ratio(all: readonly Measurement[], of: readonly Measurement[], base: string): number | undefined {
  const ratios: number[] = [];
  for (const m of of) {
    const other = all.find((o) => o.shape === m.shape && o.proxy === base && o.round === m.round);
    if (other !== undefined) ratios.push(cpu(m) / cpu(other));
  }
  return ratios.length === 0 ? undefined : median(ratios);
}

/** What the gateway costs beside the cheapest of Node's other proxies, in words. */
function besidePeers(shape: Shape, all: readonly Measurement[]): string {
  const own = all.filter((m) => m.shape === shape.name && m.proxy === "gateway");
  const peers = new Set(all.filter((m) => m.shape === shape.name && !notPeers.has(m.proxy) && m.errors === 0).map((m) => m.proxy));
  let least: { readonly name: string; readonly factor: number } | undefined;
  for (const name of peers) {
    const factor = ratio(all, all.filter((m) => m.shape === shape.name && m.proxy === name), "gateway");
    if (factor !== undefined && (least === undefined || factor < least.factor)) least = { name, factor };
  }
  if (own.length === 0 || least === undefined) return "";
  return `\nThe cheapest other Node proxy here, ${least.name}, takes ${least.factor.toFixed(1)} times the gateway's CPU.\n`;
}

const notPeers = new Set(["nginx", "haproxy", "gateway", "gateway-node"]);

export function tables(shapes: readonly Shape[], proxies: readonly Proxy[], all: readonly Measurement[]): string {
  let text = "";
  for (const shape of shapes) {
    const idle = shape.idleConnections !== undefined;
    text += `\n### ${shape.title}\n\n`;
    text += `| proxy | CPU µs/request | user | system | to nginx | to haproxy | requests/s | p50 ms | p99 ms | peak RSS MB |${idle ? " KB per idle connection |" : ""} errors | each round |\n`;
    text += `| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |${idle ? " ---: |" : ""} ---: | --- |\n`;
    for (const proxy of proxies) {
      const mine = all.filter((m) => m.shape === shape.name && m.proxy === proxy.name);
      if (mine.length === 0) continue;
      const of = (pick: (m: Measurement) => number): number => median(mine.map(pick));
      const cells = [
        proxy.name,
        of(cpu).toFixed(1),
        of((m) => m.user).toFixed(1),
        of((m) => m.system).toFixed(1),
        ratio(all, mine, "nginx")?.toFixed(2) ?? "",
        ratio(all, mine, "haproxy")?.toFixed(2) ?? "",
        of((m) => m.requestsPerSecond).toFixed(0),
        of((m) => m.p50).toFixed(2),
        of((m) => m.p99).toFixed(2),
        (of((m) => m.peakRss) / 1024).toFixed(0),
      ];
      if (idle) cells.push(of((m) => m.rssPerIdleConnection ?? 0).toFixed(1));
      cells.push(String(mine.reduce((sum, m) => sum + m.errors, 0)), mine.map((m) => cpu(m).toFixed(1)).join(", "));
      text += `| ${cells.join(" | ")} |\n`;
    }
    text += besidePeers(shape, all);
  }
  return text;
}
