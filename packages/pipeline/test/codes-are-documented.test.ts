import { readFileSync, readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { configIssueCodes } from "@proxy/config";
import { proxyEventNames, proxyIssueCodes } from "@proxy/pipeline";

const source = new URL("../src/", import.meta.url);
const code = readdirSync(source, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => readFileSync(new URL(name, source), "utf8"))
  .join("\n");
const manual = readFileSync(new URL("../../../docs/errors.md", import.meta.url), "utf8");

function used(pattern: RegExp): string[] {
  return [...new Set([...code.matchAll(pattern)].map((match) => match[1] ?? ""))].sort();
}

describe("codes of configuration issues", () => {
  it("are all in the catalogue", () => {
    const reported = used(/(?:code: |report\(\s*|issueOf\(config, )"([a-z-]+)"/g);
    expect(reported.length).toBeGreaterThan(10);
    expect(reported.filter((each) => !(each in proxyIssueCodes) && !(each in configIssueCodes))).toEqual([]);
  });

  it("have a row in the manual", () => {
    for (const each of Object.keys(proxyIssueCodes)) expect(manual).toContain(`| \`${each}\` |`);
  });
});

describe("events", () => {
  it("are all in the catalogue, and nothing else is", () => {
    const told = used(/\.event\(\s*(?:level|"[a-z]+"),\s*"([a-z-]+)"/g);
    expect(told).toEqual(Object.keys(proxyEventNames).sort());
  });

  it("have a row in the manual", () => {
    for (const each of Object.keys(proxyEventNames)) expect(manual).toContain(`| \`${each}\` |`);
  });
});
