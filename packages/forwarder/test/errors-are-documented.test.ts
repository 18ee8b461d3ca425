import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { forwarderErrorCodes } from "../src/index.ts";

const page = readFileSync(new URL("../../../docs/errors.md", import.meta.url), "utf8");
const section = page.slice(page.indexOf("## Forwarder errors")).split(/^## /mu)[1] ?? "";

test.each(forwarderErrorCodes)("%s has a row in docs/errors.md", (code) => {
  expect(section).toContain(`\n| \`${code}\` |`);
});

test("docs/errors.md names no code that does not exist", () => {
  const named = Array.from(section.matchAll(/^\| `(\w+)`/gmu), ([, code]) => code);
  expect(named.toSorted()).toEqual([...forwarderErrorCodes].toSorted());
});
