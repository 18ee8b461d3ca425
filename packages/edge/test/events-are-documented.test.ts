import { readFileSync, readdirSync } from "node:fs";
import { expect, it } from "vitest";
import { edgeEventNames } from "../src/index.ts";

const source = new URL("../src/", import.meta.url);
const code = readdirSync(source, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => readFileSync(new URL(name, source), "utf8"))
  .join("\n");
const manual = readFileSync(new URL("../../../docs/errors.md", import.meta.url), "utf8");

it("every event that policies tell is in the catalogue and in the manual, and nothing else is", () => {
  const told = [...code.matchAll(/\.event\([^,]+,\s*"([a-z-]+)"/g)].map((match) => match[1] ?? "");
  expect([...new Set(told)].sort()).toEqual(Object.keys(edgeEventNames).sort());
  for (const name of Object.keys(edgeEventNames)) expect(manual).toContain(`| \`${name}\` |`);
});
