import { describe, expect, test } from "vitest";
import { Http2FloodGuard } from "../../src/node/http2-flood-guard.ts";

describe("the flood guard", () => {
  test("lets bodies, their small frames and acknowledgements of large answers pass", () => {
    const guard = new Http2FloodGuard(0);
    for (let i = 0; i < 50_000; i++) guard.data(1);
    expect(guard.check(1000, 500_000, 0, 0)).toBeUndefined();
    expect(guard.check(2000, 500_000 + 800_000, 100_000_000, 0)).toBeUndefined();
  });

  test("counts bytes that wait for their reader once", () => {
    const guard = new Http2FloodGuard(0);
    expect(guard.check(1000, 262_144, 0, 262_144)).toBeUndefined();
    guard.data(262_144);
    expect(guard.check(2000, 262_144, 0, 0)).toBeUndefined();
  });

  test("stops frames that carry nothing", () => {
    expect(new Http2FloodGuard(0).check(250, 20_000 * 9, 0, 0)).toContain("carry nothing");
  });

  test("stops PING, SETTINGS and reset floods, and forgets resets with time", () => {
    const pings = new Http2FloodGuard(0);
    for (let i = 0; i < 101; i++) pings.ping();
    expect(pings.check(1000, 0, 0, 0)).toContain("PING");
    const settings = new Http2FloodGuard(0);
    for (let i = 0; i < 21; i++) settings.settings();
    expect(settings.check(1000, 0, 0, 0)).toContain("SETTINGS");
    const resets = new Http2FloodGuard(0);
    for (let i = 0; i < 200; i++) resets.reset();
    expect(resets.check(1, 0, 0, 0)).toBeUndefined();
    for (let i = 0; i < 30; i++) resets.reset();
    expect(resets.check(1001, 0, 0, 0)).toBeUndefined();
    for (let i = 0; i < 50; i++) resets.reset();
    expect(resets.check(1250, 0, 0, 0)).toContain("reset");
  });
});
