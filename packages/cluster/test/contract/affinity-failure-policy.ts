/** What every affinity failure policy holds to, built in or a user's. */
import { describe, expect, it } from "vitest";
import { AffinityError, type AffinityFailurePolicy, type AffinityStatus } from "@proxy/cluster";
import { emptyCluster } from "../support/clusters.ts";
import { exchangeOf } from "../support/exchanges.ts";

const failures: readonly AffinityStatus[] = ["AffinityKeyExtractionFailed", "DestinationNotFound"];
const others: readonly AffinityStatus[] = ["OK", "AffinityKeyNotSet"];

export function describeAffinityFailurePolicyContract(policy: AffinityFailurePolicy): void {
  describe(`${policy.name} keeps the contract of affinity failure policies`, () => {
    it("has a name that can be registered", () => {
      expect(policy.name.trim()).toBe(policy.name);
      expect(policy.name).not.toBe("");
    });

    it.each(failures)("goes on without an answer, or ends the request with one, after %s", async (status) => {
      for (const cluster of [emptyCluster(), undefined]) {
        const { exchange, answer } = exchangeOf();
        const goesOn = await policy.handle(exchange, cluster, status);
        expect(goesOn).toBe(!answer.ended);
        expect(answer.status !== undefined).toBe(!goesOn);
      }
    });

    it.each(failures)("leaves an answer alone that there is already, after %s", async (status) => {
      const { exchange, answer } = exchangeOf();
      answer.status = 200;
      answer.ended = true;
      await policy.handle(exchange, emptyCluster(), status);
      expect(answer).toEqual({ status: 200, ended: true });
    });

    it.each(others)("is not to be asked about %s, and says so", async (status) => {
      const { exchange, answer } = exchangeOf();
      await expect(async () => policy.handle(exchange, emptyCluster(), status)).rejects.toThrow(AffinityError);
      expect(answer.status).toBeUndefined();
    });
  });
}
