import { afterAll, describe, expect, test } from "vitest";
import { loadArea } from "@proxy/conformance";
import { reportArea } from "@proxy/conformance/report";
import { encodePath, makeDestinationAddress } from "../../src/index.ts";

const { area, cases } = loadArea("forwarder-uri");
let held = 0;

describe(area, () => {
  for (const { id, title, given, expect: expected } of cases) {
    test(`${id}: ${title}`, () => {
      if (given.kind === "encode") expect(encodePath(given.path)).toBe(expected.encoded);
      else expect(makeDestinationAddress(given.prefix, given.path, given.query)).toBe(expected.url);
      held++;
    });
  }
});

afterAll(() => reportArea(area, { held, superseded: 0, failed: cases.length - held }));
