import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
// @boundaries-ignore the double of the HTTP Server API
import { freePort, missing } from "../../../../packages/httpsys/test/double.ts";
// @boundaries-ignore the double of the HTTP Server API
import { buildDouble } from "../../../../tooling/httpsys-double/build.ts";
import { configFolder, oneRoute } from "../support/config-file.ts";
import { startGateway } from "../support/running-gateway.ts";

const target = fileURLToPath(new URL("../../../../packages/httpsys/test/system/target.ts", import.meta.url));

/** One route to a destination that delegates to `queue`. */
function delegatingTo(queue: string, address: string, rest: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const config = oneRoute(address, rest) as {
    ReverseProxy: { Clusters: Record<string, { Destinations: Record<string, { Metadata?: Record<string, string> }> }> };
  };
  for (const { Destinations } of Object.values(config.ReverseProxy.Clusters)) {
    for (const destination of Object.values(Destinations)) destination.Metadata = { HttpSysDelegationQueue: queue };
  }
  return config;
}

describe.skipIf(missing !== undefined)(missing ?? "a gateway on HTTP.sys, through the double", () => {
  test("delegates to the queue of another process: 503 while there is none, and again after it was there", async () => {
    await using folder = await configFolder();
    const library = buildDouble();
    const [port, targetPort] = [await freePort(), await freePort()];
    const queue = `delegated-${process.pid}`;
    const server = { Engine: "HttpSys", HttpSys: { LibraryPath: library } };
    const file = await folder.write("gateway.json", delegatingTo(queue, `http://localhost:${targetPort}`, { Server: server, Urls: `http://127.0.0.1:${port}` }));
    await using gateway = await startGateway([file], { urls: "" });
    expect(gateway.port).toBe(port);
    const post = async (): Promise<string> => {
      const response = await fetch(`http://127.0.0.1:${port}/a`, { method: "POST", body: "x".repeat(1000), headers: { connection: "close" } });
      return `${response.status} ${await response.text()}`;
    };
    expect(await post()).toBe("503 ");
    const child = fork(target, [library, queue, String(targetPort)], { execArgv: ["--conditions=@proxy/source"] });
    await once(child, "message");
    expect(await post()).toBe("200 1000");
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(await post()).toBe("503 ");
  });

  test("says of a queue that belongs to another account what to do, and answers 503", async () => {
    await using folder = await configFolder();
    const port = await freePort();
    const queue = `foreign-${process.pid}`;
    process.env["HTTPSIM_FOREIGN_QUEUE"] = queue;
    try {
      const server = { Engine: "HttpSys", HttpSys: { LibraryPath: buildDouble() } };
      const file = await folder.write("gateway.json", delegatingTo(queue, "http://localhost:1", { Server: server, Urls: `http://127.0.0.1:${port}` }));
      await using gateway = await startGateway([file], { urls: "" });
      const response = await fetch(`http://127.0.0.1:${port}/a`, { headers: { connection: "close" } });
      expect(response.status).toBe(503);
      const entry = await gateway.logged(({ code }) => code === "REFUSED");
      expect(entry).toMatchObject({ level: "warn", queue, error: expect.stringContaining("run both processes under one account") as string });
      expect(entry["error"]).toContain("HttpCreateRequestQueue failed with 5 ERROR_ACCESS_DENIED");
    } finally {
      delete process.env["HTTPSIM_FOREIGN_QUEUE"];
    }
  });
});
