import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { startChild } from "../support/child-gateway.ts";
import { configFolder, oneRoute } from "../support/config-file.ts";
import { bodyOf, getRaw } from "../support/raw-client.ts";
import { startRawOrigin } from "../support/raw-origin.ts";

const root = fileURLToPath(new URL("../../../../", import.meta.url));
/** Rejects with all that the build wrote. */
async function buildGateway(): Promise<void> {
  const env = { ...process.env, TURBO_TELEMETRY_DISABLED: "1" };
  const building = promisify(execFile)(`${root}node_modules/.bin/turbo`, ["run", "build", "--filter=@proxy/gateway"], { cwd: root, env });
  await building.catch(({ message, stdout }: { message: string; stdout: string }) => Promise.reject(new Error(`${message}${stdout}`)));
}

const main = `${root}apps/gateway/dist/main.js`;

describe("the built gateway", () => {
  test("serves, checks and prints its schema without the sources", async () => {
    await buildGateway();
    await using folder = await configFolder();
    const origin = await startRawOrigin("one");
    const file = await folder.write("gateway.json", oneRoute(origin.url));
    await using gateway = startChild(["run", "--config", file, "--urls", "http://127.0.0.1:0"], {}, [main]);
    const [port] = await gateway.listening();
    expect(bodyOf(await getRaw(port!, "/"))).toBe("one");
    gateway.process.kill("SIGTERM");
    expect(await gateway.ended).toEqual({ code: 0, signal: null });
    await origin.close();
    for (const args of [["check", file], ["routes", file], ["schema"], ["--version"]]) {
      await using child = startChild(args, {}, [main]);
      expect(await child.ended, args.join(" ")).toEqual({ code: 0, signal: null });
      expect(child.stdout()).not.toBe("");
    }
  });
});
