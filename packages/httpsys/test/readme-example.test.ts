import { describe, expect, test } from "vitest";
// @boundaries-ignore how every README is tried
import { withReadmeExample } from "../../../tooling/docs/readme-example.ts";
// @boundaries-ignore the double of the HTTP Server API
import { buildDouble } from "../../../tooling/httpsys-double/build.ts";
import { freePort, missing } from "./double.ts";

const readme = new URL("../README.md", import.meta.url);

describe.skipIf(missing !== undefined)(missing ?? "the README's example, through the double of HTTP.sys", () => {
  test("serves its prefix, and ends in order when it is interrupted", async () => {
    const port = await freePort();
    const library = `createHttpSysServer({ libraryPath: ${JSON.stringify(buildDouble())},`;
    await withReadmeExample(readme, { "8080": String(port), "createHttpSysServer({": library }, async ({ child, exited }) => {
      const get = async (): Promise<string> => (await fetch(`http://localhost:${port}/app/a`, { headers: { connection: "close" } })).text();
      await expect.poll(() => get().catch(() => ""), { timeout: 20_000 }).toBe("/app/a");
      child.kill("SIGINT");
      expect(await exited).toEqual([0, null]);
    });
  });
});
