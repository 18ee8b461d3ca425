import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { check } from "../../src/cli/check.ts";
import { parseInvocation } from "../../src/cli/invocation.ts";
import { configFolder } from "../support/config-file.ts";

const path = (file: string): string => fileURLToPath(new URL(`../../../../${file}`, import.meta.url));
const documents = [
  "docs/quick-start.md",
  "docs/migrating-from-yarp.md",
  "apps/gateway/README.md",
  "examples/gateway-yarp/README.md",
];

/** Blocks of one language in a Markdown file. */
function blocks(file: string, language: string): string[] {
  const text = readFileSync(path(file), "utf8");
  return [...text.matchAll(new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``, "g"))].map((match) => match[1]!);
}

async function problems(files: readonly string[]): Promise<string> {
  let error = "";
  const take = (text: string): void => {
    error += text;
  };
  const code = await check({ command: "check", files, json: false, strict: true }, { out: () => {}, error: take });
  return code === 0 ? "" : error;
}

describe.each(documents)("%s", (document) => {
  test("its configurations are fine, also when strict", async () => {
    await using folder = await configFolder();
    const configurations = blocks(document, "json").filter((text) => text.includes('"Routes"'));
    for (const [index, text] of configurations.entries()) {
      expect(await problems([await folder.write(`${index}.json`, text)])).toBe("");
    }
  });

});

// The configuration of the page on nginx names files that its example has; that has tests of its own.
describe.each([...documents, "docs/migrating-from-nginx.md", "examples/from-nginx/README.md"])("%s", (document) => {
  test("its command lines are understood", () => {
    const commands = blocks(document, "sh")
      .flatMap((block) => block.replaceAll("\\\n", " ").split("\n"))
      .flatMap((line) => /pnpm@[\d.]+ gateway (.*)/.exec(line)?.[1] ?? [])
      .map((line) => line.replace(/\s[#>].*$/, "").trim());
    expect(commands.length).toBeGreaterThan(0);
    for (const command of commands) {
      const words = [...command.matchAll(/"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? match[2]!);
      expect(() => parseInvocation(words), command).not.toThrow();
    }
  });
});

test("every code of the gateway's own issues has a row in the manual", () => {
  const source = readFileSync(path("apps/gateway/src/configuration/host-issues.ts"), "utf8");
  const codes = [...source.matchAll(/code: "([a-z-]+)"/g)].map((match) => match[1]);
  expect(codes).toEqual(["error-page", "certificate-invalid", "listen-url-invalid", "affinity-keys-invalid", "trusted-proxy-missing", "trusted-proxy-invalid"]);
  const manual = readFileSync(path("docs/errors.md"), "utf8");
  for (const code of codes) expect(manual).toContain(`| \`${code}\` |`);
});

test.each(["examples/gateway-yarp/appsettings.json", "apps/gateway/sample/gateway.json"])(
  "%s is fine, also when strict",
  async (file) => {
    expect(await problems([path(file)])).toBe("");
  },
);
