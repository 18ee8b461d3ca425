/** The bench of memory, held to its promise. */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

it("counts ten million distinct addresses in a process of less than 200 MB", () => {
  const script = fileURLToPath(new URL("../../bench/rate-limit-memory.ts", import.meta.url));
  const output = execFileSync(process.execPath, ["--conditions=@proxy/source", "--expose-gc", script], { encoding: "utf8", cwd: fileURLToPath(new URL("../../../..", import.meta.url)) });
  const [, tables, most] = /tables (\d+) MB.* (\d+) MB at most/.exec(output) ?? [];
  expect(Number(tables), output).toBeLessThan(30);
  expect(Number(most), output).toBeLessThan(200);
});
