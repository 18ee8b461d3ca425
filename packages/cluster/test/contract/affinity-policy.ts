/** What every session affinity policy holds to, built in or a user's. */
import { describe, expect, it } from "vitest";
import type { SessionAffinityPolicy } from "@proxy/cluster";
import type { SessionAffinityConfig } from "@proxy/config";
import { HeaderList, type Exchange } from "@proxy/http";
import { destinationsOf } from "../support/clusters.ts";
import { exchangeOf } from "../support/exchanges.ts";

/** `broughtBack` makes the request of a client that got these response headers. */
export function describeAffinityPolicyContract(
  name: string,
  make: () => SessionAffinityPolicy,
  broughtBack: (headers: HeaderList) => Exchange = cookiesAndHeaders,
): void {
  const settings: SessionAffinityConfig = { enabled: true, policy: name, affinityKeyName: "X-Key" };

  describe(`${name} keeps the contract of session affinity policies`, () => {
    it("has a name that can be registered, and no fault to find with plain settings", () => {
      const policy = make();
      expect(policy.name.trim()).toBe(policy.name);
      expect(policy.name).not.toBe("");
      expect(policy.fault?.(settings)).toBeUndefined();
    });

    it("finds each destination by the key that it gave for it", async () => {
      const policy = make();
      const available = destinationsOf(["a", 0], ["B", 0], ["a destination with blanks; and = signs", 0], ["目的地", 0]);
      for (const destination of available) {
        const headers = new HeaderList();
        policy.affinitize(exchangeOf().exchange, settings, destination, headers);
        const found = await policy.find(broughtBack(headers), settings, available);
        expect(found.status).toBe("OK");
        expect(found.destinations).toContain(destination);
      }
    });

    it("finds no key where none is, and no destination that is not available", async () => {
      const policy = make();
      const [a, b] = destinationsOf(["a", 0], ["b", 0]);
      if (a === undefined || b === undefined) throw new Error("no destinations");
      expect((await policy.find(exchangeOf().exchange, settings, [a, b])).status).toBe("AffinityKeyNotSet");
      const headers = new HeaderList();
      policy.affinitize(exchangeOf().exchange, settings, a, headers);
      expect((await policy.find(broughtBack(headers), settings, [b])).status).toBe("DestinationNotFound");
      expect((await policy.find(broughtBack(headers), settings, [])).status).toBe("DestinationNotFound");
    });

    it("leaves the list as it is, and other headers alone", async () => {
      const policy = make();
      const available = Object.freeze(destinationsOf(["a", 0], ["b", 0]));
      const headers = HeaderList.from([["Set-Cookie", "theirs=1"], ["X-Other", "2"]]);
      const [a] = available;
      if (a !== undefined) policy.affinitize(exchangeOf().exchange, settings, a, headers);
      expect([...headers].slice(0, 2)).toEqual([["Set-Cookie", "theirs=1"], ["X-Other", "2"]]);
      await policy.find(broughtBack(headers), settings, available);
    });
  });
}

function cookiesAndHeaders(headers: HeaderList): Exchange {
  const cookies = headers.getAll("set-cookie").map((line) => ["Cookie", line.split(";")[0] ?? ""] as const);
  const fields = [...headers].filter(([name]) => name.toLowerCase() !== "set-cookie");
  return exchangeOf({ headers: [...cookies, ...fields] }).exchange;
}
