/** The program as scripts see it, in processes of its own where it matters: each costs half a second. */
import { readFileSync } from "node:fs";
import { describe, expect, test, vi } from "vitest";
import { runCommandLine } from "../../src/cli/command-line.ts";
import { startChild } from "../support/child-gateway.ts";
import { configFolder, oneRoute } from "../support/config-file.ts";

async function run(...args: readonly string[]) {
  await using child = startChild(args);
  const { code } = await child.ended;
  return { code, out: child.stdout(), error: child.stderr() };
}

describe.concurrent("exit codes", () => {
  test("0 for --help, on standard output", async ({ expect }) => {
    const help = await run("--help");
    expect(help).toMatchObject({ code: 0, error: "" });
    expect(help.out).toContain("gateway [run] --config FILE");
  });

  test("2 for a command line that is wrong, with the usage on standard error", async ({ expect }) => {
    const result = await run("run", "--no-such-option");
    expect(result).toMatchObject({ code: 2, out: "" });
    expect(result.error).toContain("--no-such-option");
    expect(result.error).toContain("--config FILE");
  });

  test("2 for a missing file", async ({ expect }) => {
    const result = await run("run", "--config", "/nowhere/gateway.json");
    expect(result).toMatchObject({ code: 2, out: "" });
    expect(result.error).toContain("there is no readable file /nowhere/gateway.json");
  });

  test("1 for a file that check refuses", async ({ expect }) => {
    await using folder = await configFolder();
    const bad = await folder.write("bad.json", "[]");
    expect((await run("check", bad)).code).toBe(1);
  });
});

describe("inside this process", () => {
  /** What the command line writes and the exit code that it leaves. */
  async function inside(...args: readonly string[]) {
    const before = process.exitCode;
    let out = "";
    let error = "";
    const write = (take: (text: string) => void) => (text: string | Uint8Array) => {
      take(String(text));
      return true;
    };
    const spies = [
      vi.spyOn(process.stdout, "write").mockImplementation(write((text) => (out += text))),
      vi.spyOn(process.stderr, "write").mockImplementation(write((text) => (error += text))),
    ];
    try {
      await runCommandLine(args);
      return { code: process.exitCode, out, error };
    } finally {
      process.exitCode = before;
      for (const spy of spies) spy.mockRestore();
    }
  }

  test("--version is the version of the package", async () => {
    const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string };
    expect(await inside("--version")).toMatchObject({ out: `${version}\n`, error: "" });
  });

  test("--urls without an address is a wrong command line", async () => {
    const result = await inside("--config", "x.json", "--urls", "nonsense");
    expect(result).toMatchObject({ code: 2, out: "" });
    expect(result.error).toContain("--config FILE");
  });

  test("schema prints a JSON Schema, check and routes end with 0", async () => {
    const { code, out } = await inside("schema");
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ type: "object" });
    expect(out).toContain("AccessLog");
    await using folder = await configFolder();
    const good = await folder.write("good.json", oneRoute("http://127.0.0.1:9/"));
    expect((await inside("check", good)).code).toBe(0);
    expect((await inside("routes", good)).code).toBe(0);
  });
});

test("the commands agree with the documentation of exit codes", () => {
  const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
  for (const command of ["run", "check", "routes", "schema"]) expect(readme).toContain(`| \`${command}`);
});
