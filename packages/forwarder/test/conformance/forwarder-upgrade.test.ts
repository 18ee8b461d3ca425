import { afterAll, describe, expect, test } from "vitest";
import { loadArea } from "@proxy/conformance";
import { reportArea } from "@proxy/conformance/report";
import { playPlan, playRequest, playResponse, scenarios } from "./upgrade-scenarios.ts";

const { area, cases } = loadArea("forwarder-upgrade");
let held = 0;

describe(area, () => {
  for (const item of cases) {
    const { id, rule, given } = item;
    const name = id.slice(area.length + 1);
    test(`${id}: ${item.title}`, async () => {
      if (given.kind === "request") await playRequest(item);
      else if (given.kind === "response") playResponse(item);
      else if (given.kind === "plan") playPlan(item);
      else {
        const play = scenarios[name] ?? scenarios[rule];
        if (play === undefined) throw new Error("no scenario for this case");
        await play(item);
      }
      held++;
    });
  }

  test("plays no case that is not in the table", () => {
    const known = new Set(cases.flatMap(({ id, rule }) => [id.slice(area.length + 1), rule]));
    expect(Object.keys(scenarios).filter((name) => !known.has(name))).toEqual([]);
  });
});

afterAll(() => reportArea(area, { held, superseded: 0, failed: cases.length - held }));
