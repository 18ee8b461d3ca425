import { fileURLToPath, pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";
import { startChild } from "../support/child-gateway.ts";
import { configFolder, oneRoute } from "../support/config-file.ts";

const hook = `--import=${pathToFileURL(fileURLToPath(new URL("../../../../packages/httpsys/test/system/without-koffi.mjs", import.meta.url))).href}`;

async function ends(config: unknown): Promise<{ readonly code: number | null; readonly said: string }> {
  await using folder = await configFolder();
  const file = await folder.write("gateway.json", config);
  await using gateway = startChild(["--config", file], { NODE_OPTIONS: hook });
  const { code } = await gateway.ended;
  return { code, said: gateway.stdout() + gateway.stderr() };
}

function delegating(metadata: Readonly<Record<string, string>>, server: Readonly<Record<string, unknown>>): unknown {
  const config = oneRoute("http://localhost:1/", { Server: server, Urls: "http://127.0.0.1:0" }) as {
    ReverseProxy: { Clusters: { c: { Destinations: { d: Record<string, unknown> } } } };
  };
  config.ReverseProxy.Clusters.c.Destinations.d["Metadata"] = metadata;
  return config;
}

describe("a gateway without koffi", () => {
  test("starts where nothing needs it", async () => {
    await using folder = await configFolder();
    const file = await folder.write("gateway.json", oneRoute("http://127.0.0.1:1/", { Urls: "http://127.0.0.1:0" }));
    await using gateway = startChild(["--config", file], { NODE_OPTIONS: hook });
    expect(await gateway.listening()).toHaveLength(1);
  });

  test("does not start with Server:Engine HttpSys, and says why", async () => {
    const server = { Engine: "HttpSys", HttpSys: { LibraryPath: "/usr/lib/none.so" } };
    const { code, said } = await ends(oneRoute("http://127.0.0.1:1/", { Server: server, Urls: "http://127.0.0.1:8080" }));
    expect(code).not.toBe(0);
    expect(said).toContain("HTTP.sys needs the package koffi, which cannot be loaded: install it beside this one");
  });

  test("does not start with a destination that delegates over a socket, and says why", async () => {
    const { code, said } = await ends(delegating({ DelegationSocket: "/run/shop/s.sock" }, {}));
    expect(code).not.toBe(0);
    expect(said).toContain("needs the package koffi");
    expect(said).toContain("destination 'd'");
  });

  test("does not start with a destination that delegates to a queue it cannot reach, and says why", async () => {
    const { code, said } = await ends(delegating({ HttpSysDelegationQueue: "shop" }, {}));
    expect(code).not.toBe(0);
    expect(said).toContain("destination 'd'");
    expect(said).toContain("asks for delegation that cannot be had: this gateway does not serve from HTTP.sys (Server:Engine HttpSys)");
  });
});

test.skipIf(process.platform === "win32")("a gateway with Server:Engine HttpSys elsewhere than on Windows says that it is elsewhere (skipped on Windows, where it can serve)", async () => {
  const { code, said } = await ends(oneRoute("http://127.0.0.1:1/", { Server: { Engine: "HttpSys" }, Urls: "http://127.0.0.1:8080" }));
  expect(code).not.toBe(0);
  expect(said).toContain(`HTTP.sys is part of Windows; this is ${process.platform}`);
});
