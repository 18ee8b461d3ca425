import { readFile } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { configFolder, oneRoute } from "../support/config-file.ts";
import type { ConfigFolder } from "../support/config-file.ts";
import { getRaw, sendRaw, statusOf } from "../support/raw-client.ts";
import { startRawOrigin } from "../support/raw-origin.ts";
import type { RawOrigin } from "../support/raw-origin.ts";
import { startGateway } from "../support/running-gateway.ts";

let folder: ConfigFolder;
let origin: RawOrigin;
beforeEach(async () => {
  folder = await configFolder();
  origin = await startRawOrigin("one");
});
afterEach(async () => {
  await origin.close();
  await folder[Symbol.asyncDispose]();
});

/** Sends what `run` does to a gateway that logs to a file, and gives the lines of the file. */
async function logOf(format: "Combined" | "Json", engine: string, run: (port: number) => Promise<void>): Promise<string[]> {
  const path = `${folder.path}/access.log`;
  const AccessLog = { Path: path, Format: format };
  const config = oneRoute(origin.url, { Server: { Engine: engine, AccessLog } }) as {
    ReverseProxy: { Routes: Record<string, unknown> };
  };
  config.ReverseProxy.Routes["hello"] = { Match: { Path: "/hello" }, Respond: { Body: "hello" } };
  const file = await folder.write("gateway.json", config);
  {
    await using gateway = await startGateway([file]);
    await run(gateway.port);
  }
  return (await readFile(path, "latin1")).trimEnd().split("\n");
}

describe.each(["http1", "node"])("the access log, with Server:Engine %s", (engine) => {
  test("one line for each request, whoever answered it", async () => {
    const lines = await logOf("Json", engine, async (port) => {
      await getRaw(port, "/a?token=1", "shop.test", "User-Agent: tests\r\nReferer: /b\r\nAuthorization: Bearer secret\r\n");
      await getRaw(port, "/hello");
    });
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { method: "GET", target: "/a?token=1", status: 200, host: "shop.test", userAgent: "tests", referer: "/b", route: "all", cluster: "c", destination: "d" },
      { target: "/hello", status: 200, route: "hello" },
    ]);
    expect(lines.join("")).not.toContain("secret");
  });

  test("a failure is named", async () => {
    await origin.close();
    const lines = await logOf("Json", engine, async (port) => {
      expect(statusOf(await getRaw(port, "/"))).toBe(502);
    });
    expect(JSON.parse(lines[0]!)).toMatchObject({ status: 502, error: "Request", destination: "d" });
  });

  test("a request whose body is refused has one line, one that cannot be read has one too", async () => {
    const lines = await logOf("Json", engine, async (port) => {
      await sendRaw(port, "POST /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n").catch(() => "");
      await sendRaw(port, "POST /d HTTP/1.1\r\n\r\n");
    });
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { target: "/b", status: 400 },
      { status: 400, error: "MISSING_HOST" },
    ]);
  });

  test("nothing that a client sends makes a second line or moves a terminal's cursor", async () => {
    const lines = await logOf("Combined", engine, async (port) => {
      await getRaw(port, "/x%0d%0aFORGED%20entry");
      await getRaw(port, "/y", "shop.test", 'User-Agent: "forged" \\ \t\xe9\xff\r\n');
      await sendRaw(port, "GET /x\rFORGED HTTP/1.1\r\nHost: shop.test\r\n\r\n");
      await sendRaw(port, "GET /x HTTP/1.1\r\nHost: shop.test\r\nReferer: a\nFORGED: entry\r\n\r\n").catch(() => "");
    });
    expect(lines[0]).toContain('"GET /x%0d%0aFORGED%20entry HTTP/1.1" 200');
    expect(lines[1]).toContain('"\\x22forged\\x22 \\x5c \\x09\\xe9\\xff"');
    for (const line of lines) {
      expect(line).toMatch(/^[\x20-\x7e]+$/);
      expect(line).not.toMatch(/^FORGED/);
    }
    expect(lines.length).toBeGreaterThanOrEqual(2);
    expect(lines.slice(2).every((line) => line.includes('"-" 400 '))).toBe(true);
  });
});
