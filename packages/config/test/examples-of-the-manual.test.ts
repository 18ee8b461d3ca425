import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { decodeGatewayFile } from "../src/schema/index.ts";

/** Whole files; parts of files stand without the outermost braces. */
function examplesOf(manual: string): readonly (readonly [number: number, text: string])[] {
  const text = readFileSync(new URL(`../../../docs/${manual}`, import.meta.url), "utf8");
  const blocks = [...text.matchAll(/```json\n(.*?)```/gs)].map(([, block]) => block ?? "");
  return blocks.filter((block) => block.startsWith("{")).map((block, index) => [index + 1, block] as const);
}

describe.each(["destinations.md", "resilience.md", "policies/sign-in.md"])("the examples of docs/%s", (manual) => {
  const examples = examplesOf(manual);

  it("are there", () => expect(examples.length).toBeGreaterThan(0));

  it.each(examples)("example %d can be used as it stands", async (_number, text) => {
    const { warnings } = await decodeGatewayFile(text, { strict: true });
    expect(warnings).toEqual([]);
  });
});
