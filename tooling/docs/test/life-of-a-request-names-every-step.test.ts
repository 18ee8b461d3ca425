import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { defaultSteps, silentLogger, type RequestDelegator } from "@proxy/pipeline";

test("each step of a proxy has a row, in the order of the steps, and a place in the drawing", () => {
  const page = readFileSync(new URL("../../../docs/life-of-a-request.md", import.meta.url), "utf8");
  const delegator: RequestDelegator = { delegates: () => false, fault: () => undefined, delegate: () => {}, close: () => {} };
  const names = defaultSteps({ logger: silentLogger, delegator }).map(({ name }) => name);
  const rows = [...page.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, name]) => name);
  expect(rows.filter((name) => names.includes(name ?? ""))).toEqual(names);
  const drawing = /```mermaid\n([^]*?)```/.exec(page)?.[1] ?? "";
  for (const name of names) expect(drawing).toContain(name);
});
