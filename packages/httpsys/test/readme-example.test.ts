import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
// @boundaries-ignore the double of the HTTP Server API
import { buildDouble } from "../../../tooling/httpsys-double/build.ts";
import { freePort, missing } from "./double.ts";

const packageFolder = fileURLToPath(new URL("..", import.meta.url));

describe.skipIf(missing !== undefined)(missing ?? "the README's example, through the double of HTTP.sys", () => {
  test("serves its prefix, and ends in order when it is interrupted", async () => {
    const port = await freePort();
    const readme = await readFile(`${packageFolder}README.md`, "utf8");
    const source = (/```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? "")
      .replaceAll("8080", String(port))
      .replace("createHttpSysServer({", `createHttpSysServer({ libraryPath: ${JSON.stringify(buildDouble())},`);
    const child = spawn(process.execPath, ["--conditions=@proxy/source", "--input-type=module-typescript", "--eval", source], { cwd: packageFolder, stdio: "inherit" });
    const exited = once(child, "exit");
    try {
      const get = async (): Promise<string> => (await fetch(`http://localhost:${port}/app/a`, { headers: { connection: "close" } })).text();
      await expect.poll(() => get().catch(() => ""), { timeout: 20_000 }).toBe("/app/a");
      child.kill("SIGINT");
      expect(await exited).toEqual([0, null]);
    } finally {
      child.kill("SIGKILL");
      await exited;
    }
  });
});
