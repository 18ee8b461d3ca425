import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
// @boundaries-ignore the double of the HTTP Server API
import { asanRuntime, buildDouble } from "../../../../tooling/httpsys-double/build.ts";
import { missing } from "../double.ts";

const run = promisify(execFile);
const source = fileURLToPath(new URL("source.ts", import.meta.url));

interface Report {
  readonly outcomes: Readonly<Record<string, number>>;
  readonly live: Readonly<Record<string, number>>;
}

describe.skipIf(missing !== undefined)(missing ?? "requests delegated between two processes through the double", () => {
  test.each([
    { title: "are answered by the target, or get a 503 while it is dead; nothing stays open", sanitize: false, count: 3000, killEvery: 500 },
    { title: "leave AddressSanitizer nothing to say", sanitize: true, count: 600, killEvery: 200 },
  ])("$title", async ({ sanitize, count, killEvery }) => {
    const library = buildDouble({ sanitize });
    const env = sanitize ? { ...process.env, LD_PRELOAD: asanRuntime(), ASAN_OPTIONS: "detect_leaks=0:abort_on_error=0" } : process.env;
    const arguments_ = ["--conditions=@proxy/source", source, library, String(count), String(killEvery)];
    const { stdout, stderr } = await run(process.execPath, arguments_, { env, timeout: 120_000 });
    expect(stderr).not.toContain("AddressSanitizer");
    const { outcomes, live } = JSON.parse(stdout) as Report;
    const { answered = 0, "status 503": unavailable = 0, cut = 0, ...others } = outcomes;
    expect(others).toEqual({});
    // Only what the target held when it was killed is cut: the gateway no longer has it.
    expect(answered + unavailable + cut).toBe(count + Math.ceil(count / killEvery) - 1);
    expect(answered).toBeGreaterThan(count * 0.9);
    expect(Object.entries(live).filter(([, left]) => left !== 0)).toEqual([]);
  });
});
