import { describe, expect, test } from "vitest";
// @boundaries-ignore the double of the HTTP Server API
import { double, freePort, missing } from "../../../../packages/httpsys/test/double.ts";
// @boundaries-ignore the double of the HTTP Server API
import { buildDouble } from "../../../../tooling/httpsys-double/build.ts";
import { configFolder, oneRoute } from "../support/config-file.ts";
import { sendRaw, statusOf } from "../support/raw-client.ts";
import { startRawOrigin } from "../support/raw-origin.ts";
import { startGateway } from "../support/running-gateway.ts";

describe.skipIf(missing !== undefined)(missing ?? "the gateway with Server:Engine HttpSys, through the double", () => {
  test("serves its addresses from HTTP.sys", async () => {
    await double();
    await using folder = await configFolder();
    const origin = await startRawOrigin("one");
    const port = await freePort();
    const server = { Engine: "httpsys", HttpSys: { LibraryPath: buildDouble(), QueueName: `gateway-${process.pid}` } };
    const file = await folder.write("gateway.json", oneRoute(origin.url, { Server: server, Urls: `http://127.0.0.1:${port}` }));
    {
      await using gateway = await startGateway([file], { urls: "" });
      expect(gateway.port).toBe(port);
      const answer = await sendRaw(port, "GET /a HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n");
      expect(statusOf(answer)).toBe(200);
      expect(answer).toContain("one");
    }
    await origin.close();
  });
});

test.skipIf(process.platform === "win32")("Server:Engine HttpSys elsewhere than on Windows, without a library, says why it cannot start (skipped on Windows, where it can)", async () => {
  await using folder = await configFolder();
  const file = await folder.write("gateway.json", oneRoute("http://127.0.0.1:1", { Server: { Engine: "HttpSys" }, Urls: "http://127.0.0.1:8080" }));
  await expect(startGateway([file], { urls: "" })).rejects.toThrow("HTTP.sys is part of Windows");
});
