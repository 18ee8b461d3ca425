import { expect, it } from "vitest";
// @boundaries-ignore the doubles of the pipeline's own tests
import { RecordedEvents } from "../../pipeline/test/support/recorded-events.ts";
import { sparingLog } from "../src/sparing-log.ts";

it("what clients bring about as often as they like is told once a second for each scheme, with how many there were", () => {
  let now = 5000;
  const events = new RecordedEvents();
  const log = sparingLog(events, { now: () => now });
  const fail = (scheme: string): void => log.event("warning", "sign-in-failed", { scheme });
  for (let count = 0; count < 10; count++) fail("a");
  fail("b");
  now += 999;
  fail("a");
  now += 1;
  fail("a");
  fail("a");
  now += 5000;
  fail("a");
  fail("b");
  expect(events.named("sign-in-failed").map(({ fields }) => fields)).toEqual([{ scheme: "a" }, { scheme: "b" }, { scheme: "a", others: 10 }, { scheme: "a", others: 1 }, { scheme: "b" }]);
  for (let count = 0; count < 3; count++) log.event("info", "signing-keys-read", { scheme: "a" });
  expect(events.named("signing-keys-read").length).toBe(3);
});
