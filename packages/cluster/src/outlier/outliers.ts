/** Who stands out from its peers over one interval, with the reason in words. */
import type { OutlierCounts } from "./outlier-counts.ts";
import type { OutlierSettings } from "./outlier-settings.ts";

export interface Outlier<T> {
  readonly subject: T;
  readonly reason: string;
}

/**
 * Whose success rate lies too far below the mean of all: mean - factor * standard deviation, as Envoy computes it. The worst
 * first. Among n hosts no rate can lie further from the mean than sqrt(n - 1) deviations: hence the minimum of five.
 */
export function successRateOutliers<T>(all: Iterable<readonly [T, OutlierCounts]>, settings: OutlierSettings): Outlier<T>[] {
  const { successRateStdevFactor, successRateMinimumHosts, successRateRequestVolume } = settings;
  if (successRateStdevFactor === 0) return [];
  const rated: { readonly subject: T; readonly rate: number }[] = [];
  for (const [subject, counts] of all) {
    if (counts.total >= successRateRequestVolume) rated.push({ subject, rate: (counts.total - counts.failed) / counts.total });
  }
  if (rated.length < successRateMinimumHosts) return [];
  const mean = rated.reduce((sum, { rate }) => sum + rate, 0) / rated.length;
  const deviation = Math.sqrt(rated.reduce((sum, { rate }) => sum + (rate - mean) ** 2, 0) / rated.length);
  const threshold = mean - (deviation * successRateStdevFactor) / 1000;
  return rated
    .filter(({ rate }) => rate < threshold)
    .sort((a, b) => a.rate - b.rate)
    .map(({ subject, rate }) => ({ subject, reason: `${percent(rate)} of its requests succeeded, of all ${percent(mean)}` }));
}

/** Whose mean latency lies too far above the median of the others' means. The slowest first. */
export function latencyOutliers<T>(all: Iterable<readonly [T, OutlierCounts]>, settings: OutlierSettings): Outlier<T>[] {
  const { latencyPercent, latencyMinimumHosts, latencyRequestVolume, latencyFloor } = settings;
  if (latencyPercent === 0) return [];
  const timed: { readonly subject: T; readonly mean: number }[] = [];
  for (const [subject, counts] of all) {
    if (counts.timed >= latencyRequestVolume) timed.push({ subject, mean: counts.latencySum / counts.timed });
  }
  if (timed.length < latencyMinimumHosts) return [];
  timed.sort((a, b) => b.mean - a.mean);
  const found: Outlier<T>[] = [];
  for (const [index, { subject, mean }] of timed.entries()) {
    const peers = medianWithout(timed, index);
    if (mean <= latencyFloor || mean <= (peers * latencyPercent) / 100) break;
    found.push({ subject, reason: `it answered after ${mean.toFixed(0)} ms, its peers after ${peers.toFixed(0)} ms` });
  }
  return found;
}

function medianWithout(sorted: readonly { readonly mean: number }[], index: number): number {
  const others = sorted.toSpliced(index, 1);
  const middle = others.length >> 1;
  const upper = others[middle]?.mean ?? 0;
  return others.length % 2 === 1 ? upper : (upper + (others[middle - 1]?.mean ?? upper)) / 2;
}

function percent(rate: number): string {
  return `${(rate * 100).toFixed(1)} %`;
}
