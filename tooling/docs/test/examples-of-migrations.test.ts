/** What the pages on migrating show as TypeScript stands in files that are compiled and run. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { blocksOf } from "../markdown.ts";

const pages = [
  ["migrating-from-http-proxy.md", "from-http-proxy"],
  ["migrating-from-yarp.md", "from-yarp"],
] as const;

/** Without differences in indentation: a page shows parts of functions, too. */
const plain = (code: string): string => code.replace(/^ +/gm, "").trim();

describe.each(pages)("docs/%s", (page, example) => {
  const folder = new URL(`../../../examples/${example}/`, import.meta.url);
  const text = readFileSync(new URL(`../../../docs/${page}`, import.meta.url), "utf8");
  const files = readdirSync(folder).filter((file) => file.endsWith(".ts"));
  const sources = files.map((file) => plain(readFileSync(new URL(file, folder), "utf8")));
  const blocks = blocksOf(text).filter(({ language }) => language === "ts");

  test("has examples", () => expect(blocks.length).toBeGreaterThan(3));

  test.each(blocks.map((block, index) => [index + 1, block.heading, block.text] as const))("example %d, of %s, is code that runs", (_index, _heading, code) => {
    expect(sources.some((source) => source.includes(plain(code))), code).toBe(true);
  });

  test("what stands in cells of its tables as code to write does, too", () => {
    const rows = [...text.matchAll(/^\|[^|]*\|(.*)\|$/gm)].map(([, cell = ""]) => cell);
    const spans = rows.flatMap((row) => [...row.matchAll(/(`+)(.+?)\1(?!`)/g)].map(([, , code = ""]) => code.trim()));
    const calls = spans.filter((code) => code.includes("("));
    expect(calls.filter((code) => !sources.some((source) => source.includes(code)))).toEqual([]);
    expect(calls.length).toBeGreaterThan(1);
  });
});
