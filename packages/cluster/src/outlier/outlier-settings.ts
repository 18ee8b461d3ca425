import type { OutlierDetectionConfig } from "@proxy/config";

/** `OutlierDetection` with its defaults, which are Envoy's where Envoy has the setting. */
export type OutlierSettings = { readonly [Key in Exclude<keyof OutlierDetectionConfig, "enabled">]-?: number };

export function outlierSettings(config: OutlierDetectionConfig): OutlierSettings {
  const baseEjectionTime = config.baseEjectionTime ?? 30_000;
  return {
    consecutive5xx: config.consecutive5xx ?? 5,
    consecutiveGatewayFailure: config.consecutiveGatewayFailure ?? 0,
    interval: config.interval ?? 10_000,
    baseEjectionTime,
    maxEjectionTime: config.maxEjectionTime ?? Math.max(300_000, baseEjectionTime),
    maxEjectionPercent: config.maxEjectionPercent ?? 10,
    successRateStdevFactor: config.successRateStdevFactor ?? 1900,
    successRateMinimumHosts: config.successRateMinimumHosts ?? 5,
    successRateRequestVolume: config.successRateRequestVolume ?? 100,
    latencyPercent: config.latencyPercent ?? 0,
    latencyMinimumHosts: config.latencyMinimumHosts ?? 3,
    latencyRequestVolume: config.latencyRequestVolume ?? 20,
    latencyFloor: config.latencyFloor ?? 100,
  };
}

/** How many of `count` destinations may be ejected at a time: at least one of several, the only one with 100 percent alone. */
export function ejectionCeiling({ maxEjectionPercent }: OutlierSettings, count: number): number {
  const share = Math.floor((count * maxEjectionPercent) / 100);
  return maxEjectionPercent > 0 && count > 1 ? Math.max(1, share) : share;
}

/** Milliseconds of the `times`-th ejection in short order. */
export function ejectionTime({ baseEjectionTime, maxEjectionTime }: OutlierSettings, times: number): number {
  return Math.min(baseEjectionTime * times, Math.max(maxEjectionTime, baseEjectionTime));
}
