import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { configIssueCodes } from "../src/index.ts";

const source = join(import.meta.dirname, "../src");
const text = readdirSync(source, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts") && !name.endsWith("issue-codes.ts"))
  .map((name) => readFileSync(join(source, name), "utf8"))
  .join("\n");

it("every code that the sources name literally is in the catalogue", () => {
  const used = [
    ...text.matchAll(/(?:found|this)\.(?:error|warn)\(\s*"([a-z0-9-]+)"/g),
    ...text.matchAll(/\bcode: "([a-z0-9-]+)"/g),
    ...text.matchAll(/(?:fatal\([\w.#]+|refuse\(|"error"|"warning"),? ?"([a-z0-9-]+)"/g),
    ...text.matchAll(/check(?:Policy|Positive|Encoding|Address|Values)\([^;]*?"([a-z0-9-]+(?:-[a-z0-9]+)+)"/g),
  ]
    .map((match) => match[1] ?? "")
    // Stems, completed with `-unknown` and `-name-reserved`.
    .filter((code) => !code.endsWith("-policy"));
  expect(used.length).toBeGreaterThan(50);
  expect(used.filter((code) => configIssueCodes[code] === undefined)).toEqual([]);
});

it("every code in the catalogue has a row in the manual", () => {
  const manual = readFileSync(join(import.meta.dirname, "../../../docs/errors.md"), "utf8");
  for (const [code, meaning] of Object.entries(configIssueCodes)) expect(manual).toContain(`| \`${code}\` | ${meaning}`);
});

it("every code in the catalogue is used", () => {
  const composed = /-(?:policy-unknown|policy-name-reserved|duplicate|format)$/;
  expect(Object.keys(configIssueCodes).filter((code) => !composed.test(code) && !text.includes(`"${code}"`))).toEqual([]);
});
