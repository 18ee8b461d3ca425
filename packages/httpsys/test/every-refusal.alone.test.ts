import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { double, missing, refusedAt } from "./double.ts";
import { RefusalBench } from "./refusals/bench.ts";
import { refusalsOfDelegation } from "./refusals/of-delegation.ts";
import { refusalsOfExchanges } from "./refusals/of-exchanges.ts";
import { refusalsOfSetUp } from "./refusals/of-set-up.ts";

const sources = fileURLToPath(new URL("../../../tooling/httpsys-double/", import.meta.url));

/** "file:line" of every place that refuses. */
function allPlaces(): string[] {
  return readdirSync(sources).filter((name) => name.endsWith(".c")).flatMap((name) =>
    readFileSync(`${sources}${name}`, "utf8").split("\n").flatMap((line, i) => (/\brefuse\(|\bSIZED\(/.test(line) && !line.startsWith("#define") ? [`${name}:${i + 1}`] : [])),
  );
}

describe.skipIf(missing !== undefined)(missing ?? "the double refuses, and says why:", () => {
  let bench: RefusalBench;
  beforeAll(async () => {
    bench = new RefusalBench(await double());
  });
  afterEach(() => bench.clear());

  refusalsOfSetUp(() => bench);
  refusalsOfExchanges(() => bench);
  describe("delegation:", () => refusalsOfDelegation(() => bench));

  test("at every place where its source refuses, in one of the tests above", () => {
    const seen = new Set(refusedAt());
    expect(allPlaces().filter((place) => !seen.has(place))).toEqual([]);
    expect(seen.size).toBeGreaterThan(100);
  });
});
