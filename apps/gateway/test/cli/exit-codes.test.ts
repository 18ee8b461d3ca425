/** The program as scripts see it, in processes of its own. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { startChild } from "../support/child-gateway.ts";
import { configFolder, oneRoute } from "../support/config-file.ts";

async function run(...args: readonly string[]) {
  await using child = startChild(args);
  const { code } = await child.ended;
  return { code, out: child.stdout(), error: child.stderr() };
}

describe.concurrent("exit codes", () => {
  test("0 for --version and --help, on standard output", async ({ expect }) => {
    const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string };
    expect(await run("--version")).toEqual({ code: 0, out: `${version}\n`, error: "" });
    const help = await run("--help");
    expect(help).toMatchObject({ code: 0, error: "" });
    expect(help.out).toContain("gateway [run] --config FILE");
  });

  test("2 for a command line that is wrong, with the usage on standard error", async ({ expect }) => {
    const result = await run("run", "--no-such-option");
    expect(result).toMatchObject({ code: 2, out: "" });
    expect(result.error).toContain("--no-such-option");
    expect(result.error).toContain("--config FILE");
    expect((await run("--config", "x.json", "--urls", "nonsense")).code).toBe(2);
  });

  test("2 for a missing file", async ({ expect }) => {
    const result = await run("run", "--config", "/nowhere/gateway.json");
    expect(result).toMatchObject({ code: 2, out: "" });
    expect(result.error).toContain("there is no readable file /nowhere/gateway.json");
  });

  test("check is 0 or 1", async ({ expect }) => {
    await using folder = await configFolder();
    const good = await folder.write("good.json", oneRoute("http://127.0.0.1:9/"));
    const bad = await folder.write("bad.json", "[]");
    expect((await run("check", good)).code).toBe(0);
    expect((await run("check", bad)).code).toBe(1);
  });

  test("schema prints a JSON Schema", async ({ expect }) => {
    const { code, out } = await run("schema");
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ type: "object" });
    expect(out).toContain("AccessLog");
  });
});

test("the commands agree with the documentation of exit codes", () => {
  const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
  for (const command of ["run", "check", "routes", "schema"]) expect(readme).toContain(`| \`${command}`);
});
