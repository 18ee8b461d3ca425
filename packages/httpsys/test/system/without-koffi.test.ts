import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../../../../", import.meta.url));
const run = promisify(execFile);
const hook = `--import=${pathToFileURL(fileURLToPath(new URL("without-koffi.mjs", import.meta.url))).href}`;

/** What `code` prints in a process that has no koffi. */
async function printed(code: string): Promise<string> {
  const { stdout } = await run(process.execPath, [hook, "--conditions=@proxy/source", "--input-type=module", "--eval", code], { cwd: `${root}apps/gateway`, timeout: 60_000 });
  return stdout;
}

test("every package can be loaded without koffi", async () => {
  const names = ["http", "cluster", "config", "forwarder", "pipeline", "edge", "httpsys", "delegation", "delegation/receiver"];
  expect(await printed(`${names.map((name) => `await import("@proxy/${name}");`).join("")} console.log("all")`)).toBe("all\n");
});

test("without koffi HTTP.sys says what to install, and on another system that it is another system", async () => {
  const told = (options: string): Promise<string> => printed(`(await import("@proxy/httpsys")).loadHttpSys(${options}).catch((e) => console.log(e.name, e.code, e.message))`);
  expect(await told('{ path: "/nowhere.so" }')).toBe("HttpSysUnavailableError HTTPSYS_UNAVAILABLE HTTP.sys needs the package koffi, which cannot be loaded: install it beside this one\n");
  if (process.platform !== "win32") expect(await told("{}")).toBe(`HttpSysUnavailableError HTTPSYS_UNAVAILABLE HTTP.sys is part of Windows; this is ${process.platform}\n`);
});

test("tests pass without koffi: what needs it is left out", async () => {
  const folder = await mkdtemp(join(tmpdir(), "without-koffi-"));
  const report = join(folder, "report.json");
  // What the runner of this test tells its own workers is not for those of the other one.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("VITEST") && name !== "TEST"));
  await run(process.execPath, [`${root}node_modules/vitest/vitest.mjs`, "run", "--reporter=json", `--outputFile=${report}`, "packages/httpsys", "apps/gateway/test/listeners/http-sys.test.ts"], {
    cwd: root, timeout: 300_000, maxBuffer: 64 << 20, env: { ...env, NODE_OPTIONS: hook },
  });
  const { numFailedTests, numPassedTests, numPendingTests } = JSON.parse(await readFile(report, "utf8")) as Record<"numFailedTests" | "numPassedTests" | "numPendingTests", number>;
  await rm(folder, { recursive: true });
  expect({ numFailedTests, somePassed: numPassedTests > 20, someLeftOut: numPendingTests > 50 }).toEqual({ numFailedTests: 0, somePassed: true, someLeftOut: true });
});
