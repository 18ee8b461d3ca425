/** Memory under slow peers, in short: `memory.ts` without options is the long form. */
import { spawn, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

it("stays below 150 MB while 128 MiB each way pass slowly", async () => {
  const root = fileURLToPath(new URL("../../../../", import.meta.url));
  const built = spawnSync(`${root}node_modules/.bin/turbo`, ["run", "build", "--filter=@proxy/gateway"], {
    cwd: root,
    env: { ...process.env, TURBO_TELEMETRY_DISABLED: "1" },
    encoding: "utf8",
  });
  expect(built.status, `${built.stdout}${built.stderr}`).toBe(0);
  const script = fileURLToPath(new URL("../../memory.ts", import.meta.url));
  const child = spawn(process.execPath, [script, "--bytes", String(128 * 2 ** 20), "--rate", String(16 * 2 ** 20)]);
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString("utf8")));
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString("utf8")));
  const code = await new Promise((resolve) => child.once("close", resolve));
  expect(code, output).toBe(0);
  expect(output).toMatch(/peak \d+ MB RSS/);
});
