import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { unsupportedNodeMessage } from "../../src/node-version.mjs";

test.each(["24.11.0", "24.21.0", "25.0.0", "26.10.0"])("Node %s is fine", (version) => {
  expect(unsupportedNodeMessage(version)).toBeUndefined();
});

test.each(["20.20.2", "22.18.0", "24.10.9"])("Node %s is refused with what is needed", (version) => {
  expect(unsupportedNodeMessage(version)).toContain(`Node.js 24.11 or newer is needed, this is ${version}`);
});

test("the scripts of the workspace look at the version before they run TypeScript", () => {
  const manifest = new URL("../../../../package.json", import.meta.url);
  const { scripts } = JSON.parse(readFileSync(manifest, "utf8")) as { scripts: Record<string, string> };
  for (const name of ["start", "gateway"]) expect(scripts[name]).toContain("--import=./apps/gateway/require-node.mjs");
});
