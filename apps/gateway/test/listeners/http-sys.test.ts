import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
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

  /** What keeps a gateway from starting that is to listen at `url`. */
  async function refusalOf(url: string, more: object = {}): Promise<string> {
    await double();
    await using folder = await configFolder();
    const server = { Engine: "HttpSys", HttpSys: { LibraryPath: buildDouble(), ...more } };
    const file = await folder.write("gateway.json", oneRoute("http://127.0.0.1:1", { Server: server, Urls: url }));
    return await startGateway([file], { urls: "" }).then(
      async (gateway) => (await gateway[Symbol.asyncDispose](), "started"),
      (error: Error) => error.message,
    );
  }

  test("without the right to an address says which command gives it to its account", async () => {
    const message = await refusalOf("http://*:80");
    expect(message).toContain("cannot listen on http://*:80: HttpAddUrlToUrlGroup failed with 5 ERROR_ACCESS_DENIED");
    expect(message).toMatch(/as administrator, allow it with: netsh http add urlacl url=http:\/\/\+:80\/ user="[^"]+"/);
  });

  test("with a port that a program beside HTTP.sys has says how to find that", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    const message = await refusalOf(`http://localhost:${port}`);
    other.close();
    expect(message).toContain("failed with 32 ERROR_SHARING_VIOLATION");
    expect(message).toContain(`port ${port} is taken by a program that does not use HTTP.sys: netstat -ano -p tcp tells its process id`);
  });

  test("with an address that another server has registered says where to look", async () => {
    const port = await freePort();
    await using folder = await configFolder();
    const server = { Engine: "HttpSys", HttpSys: { LibraryPath: buildDouble() } };
    const file = await folder.write("gateway.json", oneRoute("http://127.0.0.1:1", { Server: server, Urls: `http://localhost:${port}` }));
    await using first = await startGateway([file], { urls: "" });
    expect(first.port).toBe(port);
    const message = await refusalOf(`http://localhost:${port}`);
    expect(message).toContain("failed with 183 ERROR_ALREADY_EXISTS");
    expect(message).toContain(`http://localhost:${port}/ is registered by another process or server: netsh http show servicestate`);
  });
});

test.skipIf(process.platform === "win32")("Server:Engine HttpSys elsewhere than on Windows, without a library, says why it cannot start (skipped on Windows, where it can)", async () => {
  await using folder = await configFolder();
  const file = await folder.write("gateway.json", oneRoute("http://127.0.0.1:1", { Server: { Engine: "HttpSys" }, Urls: "http://127.0.0.1:8080" }));
  await expect(startGateway([file], { urls: "" })).rejects.toThrow("HTTP.sys is part of Windows");
});
