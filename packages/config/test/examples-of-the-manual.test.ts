import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { decodeGatewayFile } from "../src/schema/index.ts";

const manual = readFileSync(new URL("../../../docs/destinations.md", import.meta.url), "utf8");
const examples = [...manual.matchAll(/```json\n(.*?)```/gs)].map(([, text]) => text ?? "");

describe("the examples of docs/destinations.md", () => {
  it.each(examples.map((text, index) => [index + 1, text] as const))("example %d can be used as it stands", async (_number, text) => {
    const { warnings } = await decodeGatewayFile(text, { strict: true });
    expect(warnings).toEqual([]);
  });
});
