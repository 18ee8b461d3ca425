import { describe, expect, test } from "vitest";
import { disagreement } from "./differential.ts";
import found from "./found-by-fuzzing.json" with { type: "json" };
import { mutate, Random, seedMessages } from "./mutations.ts";

describe("no request is accepted by the engine and refused or framed otherwise by Node's parser", () => {
  test.each(seedMessages)("legal message %#", async (message) => {
    expect(await disagreement(message)).toBeUndefined();
  });

  test.each(found)("message found by fuzzing %#", async (message) => {
    expect(await disagreement(message)).toBeUndefined();
  });

  test("1500 broken messages", async () => {
    const random = new Random(20_261_122);
    for (let i = 0; i < 1500; i++) {
      const message = mutate(random, random.pick(seedMessages));
      expect(await disagreement(message), JSON.stringify(message)).toBeUndefined();
    }
  });
});
