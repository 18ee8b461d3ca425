import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
// @boundaries-ignore the double of the HTTP Server API
import { buildDouble } from "../../../../tooling/httpsys-double/build.ts";
import { missing } from "../double.ts";

const cli = fileURLToPath(new URL("../../src/cli.ts", import.meta.url));
const run = (...more: string[]) => promisify(execFile)(process.execPath, ["--conditions=@proxy/source", cli, ...more], { timeout: 60_000 });
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
});
