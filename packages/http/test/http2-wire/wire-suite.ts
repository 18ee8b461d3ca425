/** The rules of the wire for a server, whichever it is. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Outcome, type Rule, tryRule } from "./rule.ts";
import { frames } from "./rules/frames.ts";
import { framing } from "./rules/framing.ts";
import { requests } from "./rules/requests.ts";
import { streams } from "./rules/streams.ts";
import { WireBench, type WireServerFactory } from "./wire-bench.ts";
import { WireClient } from "./wire-client.ts";

/** What a server does where it keeps no rule, and why that is borne. */
export interface Deviation {
  readonly outcome: Outcome;
  readonly reason: string;
}

const areas: readonly (readonly [string, readonly Rule[]])[] = [
  ["frames and header blocks", framing],
  ["streams", streams],
  ["each type of frame", frames],
  ["requests", requests],
];

/** Tries all rules against a server. `deviations`: by the name of the rule. */
export function wireRules(factory: WireServerFactory, deviations: ReadonlyMap<string, Deviation> = new Map()): void {
  let bench: WireBench;
  const clients: WireClient[] = [];
  beforeAll(async () => {
    bench = await WireBench.open(factory);
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy();
    await bench.settled();
    bench.seen.length = 0;
  });
  afterAll(async () => {
    await bench.close();
  });

  for (const [area, rules] of areas) {
    describe(area, () => {
      test.each(rules.map((rule) => [title(rule, deviations), rule] as const))("%s", async (_title, rule) => {
        const client = WireClient.over(await bench.server.connect(), rule.options);
        clients.push(client);
        const deviation = deviations.get(rule.name);
        if (deviation !== undefined) expect(rule.allowed).not.toContain(deviation.outcome);
        await tryRule(deviation === undefined ? rule : { ...rule, allowed: [deviation.outcome], reaches: true }, client, bench);
      });
    });
  }

  test("every deviation is one of a rule", () => {
    const names = new Set(areas.flatMap(([, rules]) => rules.map(({ name }) => name)));
    expect([...deviations.keys()].filter((name) => !names.has(name))).toEqual([]);
    expect(names.size).toBe(areas.reduce((sum, [, rules]) => sum + rules.length, 0));
  });
}

function title(rule: Rule, deviations: ReadonlyMap<string, Deviation>): string {
  const deviation = deviations.get(rule.name);
  const says = deviation === undefined ? rule.allowed.join(" or ") : `${deviation.outcome} (${deviation.reason})`;
  return `${rule.name}: ${says}`;
}
