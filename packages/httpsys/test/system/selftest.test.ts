import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
// @boundaries-ignore the double of the HTTP Server API
import { buildDouble } from "../../../../tooling/httpsys-double/build.ts";
import { missing } from "../double.ts";

const cli = fileURLToPath(new URL("../../src/cli.ts", import.meta.url));
const runWith = (env: Readonly<Record<string, string>>, ...more: string[]) =>
  promisify(execFile)(process.execPath, ["--conditions=@proxy/source", cli, ...more], { timeout: 60_000, env: { ...process.env, ...env } });
const run = (...more: string[]) => runWith({}, ...more);
type Failed = { readonly signal: string | null; readonly stdout: string; readonly stderr: string };

describe.skipIf(missing !== undefined)(missing ?? "httpsys selftest, through the double", () => {
  test("goes through all steps and says that they held", async () => {
    const { stdout } = await run("selftest", buildDouble()).catch(({ signal, stdout: said, stderr }: Failed) => {
      throw new Error(`it ended with signal ${String(signal)} after\n${said}${stderr}`);
    });
    expect(stdout).not.toContain("FAILED");
    for (const title of ["machine", "features: ResponseTrailers, DelegateEx", "queue names", "request", "target process", "rule", "delegation", "second rule: 183", "killed target: 6807", "close"]) {
      expect(stdout).toContain(`ok      ${title}`);
    }
    expect(stdout).toContain("all steps held");
  });

  test("says what is missing where there is no HTTP.sys", async () => {
    await expect(run("selftest", "/nowhere.so")).rejects.toMatchObject({ code: 1, stdout: expect.stringContaining("FAILED  library: /nowhere.so cannot be used") as string });
  });

  test("is a report to paste: what machine, what each step gave, and what it comes to, a line each", async () => {
    const { stdout } = await run("selftest", buildDouble());
    const lines = stdout.trimEnd().split("\n");
    expect(lines[0]).toMatch(/^HTTP\.sys selftest, \d{4}-\d\d-\d\dT/);
    expect(lines[1]).toContain(`Node ${process.version}`);
    expect(lines.slice(1, -1).filter((line) => !/^(?:ok {6}|FAILED {2}|missing |info {4})\S/.test(line))).toEqual([]);
    expect(lines.at(-1)).toBe("all steps held");
  });

  test("without delegation says that it is missing, leaves out what needs it, and that is no failure", async () => {
    const { stdout } = await runWith({ HTTPSIM_WITHOUT_FEATURES: ",3," }, "selftest", buildDouble());
    expect(stdout).toContain("ok      features: ResponseTrailers\n");
    expect(stdout).toContain("missing delegation: this system does not support it; what follows is left out");
    expect(stdout).not.toContain("killed target");
    expect(stdout).toContain("all steps held");
  });
});

test("httpsys tells how it is used when it is used otherwise", async () => {
  for (const wrong of [[], ["selftset"], ["selftest", "a", "b"]]) await expect(run(...wrong)).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining("usage: httpsys selftest") as string });
});

test.skipIf(process.platform === "win32")("httpsys selftest elsewhere than on Windows says so (skipped on Windows)", async () => {
  await expect(run("selftest")).rejects.toMatchObject({ code: 1, stdout: expect.stringContaining(`FAILED  library: HTTP.sys is part of Windows; this is ${process.platform}`) as string });
});
