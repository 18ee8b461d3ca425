import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "watch-config-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

test("each valid change is in use, each broken one is reported", async () => {
  const file = join(directory, "proxy.json");
  const text = await readFile(path("../proxy.json"), "utf8");
  const replace = async (content: string): Promise<void> => {
    await writeFile(`${file}.new`, content);
    await rename(`${file}.new`, file);
  };
  await replace(text);
  const child = spawn(process.execPath, ["--conditions=@proxy/source", path("../index.ts"), file], { stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<string> => String((await lines.next()).value);
  try {
    expect(await next()).toMatch(/^in use: [0-9a-f]{16}: api -> api$/);
    await replace(text.replace('"15s"', '"soon"'));
    expect(await next()).toContain(`${file}:5:47 error conversion: Timeout must be a duration, not 'soon'`);
    expect(await next()).toContain("hint:");
    await replace(text.replace('"ClusterId": "api"', '"ClusterId": "other"'));
    expect(await next()).toMatch(/^in use: [0-9a-f]{16}: api -> other$/);
    expect(await next()).toContain("warning cluster-unknown");
  } finally {
    child.kill("SIGTERM");
    if (child.exitCode === null) await once(child, "exit");
  }
  expect(child.exitCode).toBe(0);
});

test("a file that is wrong at the start is reported whole, each fault once, and the exit code is 1", async () => {
  const file = join(directory, "proxy.json");
  await writeFile(file, `{ "ReverseProxy": { "Routes": { "a": { "Order": "x", "Match": {} } } } }`);
  const child = spawn(process.execPath, ["--conditions=@proxy/source", path("../index.ts"), file], { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (piece: string) => (text += piece));
  await once(child, "close");
  expect(child.exitCode).toBe(1);
  expect([...text.matchAll(/ error ([a-z-]+):/g)].map((match) => match[1])).toEqual(["conversion", "host-or-path-required"]);
});
