import { describe, expect, it } from "vitest";
import { mutate, Random } from "../engine-server/mutations.ts";
import { disagreement, seedResponses } from "./differential.ts";
import found from "./found-by-fuzzing.json" with { type: "json" };

describe("no response is accepted by the engine and refused or framed otherwise by Node's parser", () => {
  it.each(seedResponses)("legal response %#", (response) => {
    expect(disagreement(response)).toBeUndefined();
  });

  it.each(found)("response found by fuzzing %#", (response) => {
    expect(disagreement(response)).toBeUndefined();
  });

  it("20000 broken responses", () => {
    const random = new Random(20_261_122);
    for (let i = 0; i < 20_000; i++) {
      const difference = disagreement(mutate(random, random.pick(seedResponses), seedResponses));
      if (difference !== undefined) expect(difference).toBeUndefined();
    }
  });
});
