import { afterAll, describe, it } from "vitest";
import { loadArea } from "@proxy/conformance";
import type { ConformanceCase } from "@proxy/conformance";
import { reportArea } from "@proxy/conformance/report";

export interface AreaCheck {
  /** Case to row of the deviations; each has a test of the better behaviour. */
  readonly superseded?: Readonly<Record<string, string>>;
  /** Cases that another package asks, and counts. */
  readonly elsewhere?: (one: ConformanceCase) => boolean;
  /** Why a case belongs to a part that is not there yet; undefined: it is checked here. */
  readonly pending?: (one: ConformanceCase) => string | undefined;
  readonly check: (one: ConformanceCase) => void | Promise<void>;
}

/** A test per case of an area, and its line in the output. */
export function checkArea(area: string, { superseded = {}, elsewhere, pending, check }: AreaCheck): void {
  const outcome = { held: 0, superseded: 0, failed: 0, pending: new Map<string, number>() };
  describe(`conformance ${area}`, () => {
    for (const one of loadArea(area).cases) {
      if (elsewhere?.(one)) continue;
      const waiting = pending?.(one);
      if (superseded[one.id] !== undefined) outcome.superseded += 1;
      else if (waiting !== undefined) outcome.pending.set(waiting, (outcome.pending.get(waiting) ?? 0) + 1);
      else {
        it(`${one.id}: ${one.title}`, async () => {
          outcome.failed += 1;
          await check(one);
          outcome.failed -= 1;
          outcome.held += 1;
        });
      }
    }
    afterAll(() => reportArea(area, outcome));
  });
}
