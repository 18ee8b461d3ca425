/** What every store of sign-ins keeps to. */
import { describe, expect, it } from "vitest";
import type { SignInStore } from "../../../src/index.ts";
import { SetClock } from "../../session/sessions.ts";

/** `open` gives the stores of two gateways of one site, which may be the same. */
export function describeSignInStore(title: string, open: (clock: SetClock) => readonly [SignInStore, SignInStore]): void {
  const site = () => {
    const clock = new SetClock();
    const [here, there] = open(clock);
    return { clock, here, there, soon: clock.time + 1000 };
  };

  describe(title, () => {
    it("gives what may be used once to the first who takes it, on whichever gateway", async () => {
      const { here, there, soon } = site();
      expect(await here.take("state a", "k", soon)).toBe(true);
      expect([await here.take("state a", "k", soon), await there.take("state a", "k", soon + 500)]).toEqual([false, false]);
      const race = await Promise.all(Array.from({ length: 10 }, (_, index) => (index % 2 === 0 ? here : there).take("state a", "race", soon)));
      expect(race.filter(Boolean).length).toBe(1);
    });

    it("keeps what it is for apart, and one key from another", async () => {
      const { here, there, soon } = site();
      expect(await here.take("state a", "k", soon)).toBe(true);
      for (const [use, key] of [["state b", "k"], ["assertion a", "k"], ["state a", "K"], ["state a", "k2"], ["state", "a k"]] as const) expect(await there.take(use, key, soon)).toBe(true);
    });

    it("holds what was taken until its time is over, however much comes between", async () => {
      const { clock, here, there, soon } = site();
      await here.take("state a", "k", soon);
      for (let count = 0; count < 500; count++) await here.take("state a", `other ${count}`, soon);
      clock.pass(999);
      expect(await there.take("state a", "k", soon)).toBe(false);
    });

    it("says until when sessions are over, the latest of all their keys", async () => {
      const { clock, here, there } = site();
      const { time } = clock;
      expect(await here.endedUntil("ended s", ["a", "b"])).toBeUndefined();
      await here.end("ended s", "a", time - 10, time + 1000);
      await there.end("ended s", "b", time - 5, time + 1000);
      expect([await there.endedUntil("ended s", ["a", "c"]), await here.endedUntil("ended s", ["c", "b", "a"]), await here.endedUntil("ended s", ["c"])]).toEqual([time - 10, time - 5, undefined]);
      expect(await here.endedUntil("ended other", ["a"])).toBeUndefined();
    });

    it("never takes back that a session is over", async () => {
      const { clock, here, there } = site();
      const { time } = clock;
      await here.end("ended s", "a", time, time + 1000);
      await there.end("ended s", "a", time - 100, time + 500);
      clock.pass(999);
      expect(await here.endedUntil("ended s", ["a"])).toBe(time);
      await here.end("ended s", "a", time + 100, time + 2000);
      expect(await there.endedUntil("ended s", ["a"])).toBe(time + 100);
    });
  });
}
