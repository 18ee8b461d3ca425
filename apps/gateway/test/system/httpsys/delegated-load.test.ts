import { describe, expect, test } from "vitest";
// @boundaries-ignore the double of the HTTP Server API
import { missing } from "../../../../../packages/httpsys/test/double.ts";
import { delegatedLoad } from "./delegated-load.ts";

describe.skipIf(missing !== undefined)(missing ?? "requests that a gateway delegates over HTTP.sys, through the double", () => {
  test.each([
    { title: "are answered or get a 503 while their target is killed and started again; neither process keeps a handle, socket or buffer", requests: 1500, killEvery: 500 },
    { title: "leave AddressSanitizer and LeakSanitizer nothing to say in either process", requests: 400, killEvery: 200, sanitize: true },
  ])("$title", async ({ requests, killEvery, sanitize }) => {
    const { outcomes, sent, kills, gateway, target, exitCodes, stderr } = await delegatedLoad({ requests, killEvery, sanitize });
    const { answered = 0, "status 503": unavailable = 0, ...others } = outcomes;
    expect(others).toEqual({});
    expect([answered + unavailable, kills]).toEqual([sent, Math.ceil(requests / killEvery) - 1]);
    expect(answered).toBeGreaterThan(sent * 0.9);
    expect(gateway.after.totals.cut).toBe(0);
    for (const { before, after } of [gateway, target]) {
      expect(after.live).toEqual(before.live);
      expect(after.descriptors).toBeLessThanOrEqual(before.descriptors);
      // One block of 64 KB forgotten with each twentieth request would be more than this; what the collector leaves for later is less.
      expect(after.buffers - before.buffers).toBeLessThan((requests / 20) * 65_536);
    }
    expect(stderr).not.toContain("Sanitizer");
    expect(exitCodes).toEqual([0, 0]);
  });
});
