import { expect, test } from "vitest";
import { configFolder, oneRoute } from "../support/config-file.ts";
import { sendRaw, statusOf } from "../support/raw-client.ts";
import { startRawOrigin } from "../support/raw-origin.ts";
import { startGateway } from "../support/running-gateway.ts";

test.each(["http1", "node"])("what clients break is logged for debugging only, with Server:Engine %s", async (engine) => {
  await using folder = await configFolder();
  const origin = await startRawOrigin("one");
  const file = await folder.write("gateway.json", oneRoute(origin.url, { Server: { Engine: engine } }));
  {
    await using gateway = await startGateway([file], { logLevel: "Debug" });
    const broken = await sendRaw(gateway.port, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\nzz\r\n");
    expect(statusOf(broken)).toBe(400);
    expect(statusOf(await sendRaw(gateway.port, "GET / HTTP/9\r\n\r\n"))).toBeGreaterThanOrEqual(400);
    await gateway.logged(({ event }) => event === "forwarding-failed");
    expect(gateway.log.filter(({ level }) => level === "warn" || level === "error")).toEqual([]);
  }
  await origin.close();
});
