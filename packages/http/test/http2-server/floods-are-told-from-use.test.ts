import { describe, expect, test } from "vitest";
import { defaultFloodLimits, FloodGuard } from "../../src/engine/http2/flood-guard.ts";

/** How many times `act` is let pass before it is refused, up to `most`. */
function passes(act: () => boolean, most: number): number {
  for (let i = 0; i < most; i++) if (!act()) return i;
  return most;
}

describe("the flood guard", () => {
  test.each([
    ["PING frames", defaultFloodLimits.pingBurst, (guard: FloodGuard) => guard.ping()],
    ["SETTINGS frames", defaultFloodLimits.settingsBurst, (guard: FloodGuard) => guard.settings()],
    ["resets", defaultFloodLimits.resetBurst, (guard: FloodGuard) => guard.reset()],
    ["frames that carry nothing", defaultFloodLimits.idleFrameBurst, (guard: FloodGuard) => guard.idleFrame(0, 0)],
  ])("stops a flood of %s", (_what, burst, act) => {
    const guard = new FloodGuard(() => 0);
    expect(passes(() => act(guard), burst + 10)).toBe(burst);
  });

  test("lets as many pass as come slowly enough", () => {
    let now = 0;
    const guard = new FloodGuard(() => now);
    expect(passes(() => guard.reset(), 200)).toBe(200);
    now = 1000;
    expect(passes(() => guard.reset(), 100)).toBe(defaultFloodLimits.resetRate);
    for (let second = 2; second < 60; second++) {
      now = second * 1000;
      expect(passes(() => guard.ping(), 100)).toBe(100);
    }
  });

  test("counts large frames that carry nothing by their size", () => {
    const guard = new FloodGuard(() => 0);
    expect(passes(() => guard.idleFrame(16_384, 0), 1000)).toBeLessThan(50);
  });

  test("lets who is sent much acknowledge it", () => {
    const guard = new FloodGuard(() => 0);
    let sent = 0;
    expect(passes(() => guard.idleFrame(0, (sent += 2048)), 100_000)).toBe(100_000);
  });
});
