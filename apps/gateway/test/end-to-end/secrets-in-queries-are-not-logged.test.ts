import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { configFolder, type ConfigFolder } from "../support/config-file.ts";
import { getRaw, sendRaw, statusOf } from "../support/raw-client.ts";
import { plainAnswer, startRawOrigin, type RawOrigin } from "../support/raw-origin.ts";
import { startGateway } from "../support/running-gateway.ts";

const key = "a-key-that-nobody-guesses";
const code = "an-authorization-code";

let folder: ConfigFolder;
let origin: RawOrigin;
beforeEach(async () => {
  [folder, origin] = [await configFolder(), await startRawOrigin("app", () => plainAnswer("ok"))];
});
afterEach(async () => {
  await origin.close();
  await folder[Symbol.asyncDispose]();
});

const signIn = { AuthorizationEndpoint: "https://party.test/auth", TokenEndpoint: "https://party.test/token", UserInformationEndpoint: "https://party.test/me", ClientId: "gateway", ClientSecret: "secret", PublicOrigin: "https://app.test" };

/** All that a gateway wrote, to its log at the level Debug and to its access log, while `run` spoke with it. */
async function written(format: string, engine: string, run: (port: number) => Promise<void>): Promise<{ readonly log: string; readonly lines: readonly string[] }> {
  const path = `${folder.path}/access.log`;
  const file = await folder.write("gateway.json", {
    Server: { Engine: engine, AccessLog: { Path: path, Format: format, MaskedParameters: ["reset"] } },
    Policies: {
      Authentication: {
        partners: { ApiKey: { Query: "api_key", Keys: { warehouse: { Hash: createHash("sha256").update(key).digest("hex") } } } },
        session: { Cookie: {} },
        party: { OAuth2: signIn },
      },
      Authorization: { partners: { Schemes: ["partners"] } },
    },
    ReverseProxy: {
      Routes: { all: { ClusterId: "c", Match: { Path: "/{**rest}" }, AuthorizationPolicy: "partners" } },
      Clusters: { c: { Destinations: { d: { Address: origin.url } } } },
    },
  });
  let log = "";
  {
    await using gateway = await startGateway([file], { strict: true, logLevel: "Debug" });
    await run(gateway.port);
    log = gateway.announced + JSON.stringify(gateway.log);
  }
  return { log, lines: (await readFile(path, "latin1")).trimEnd().split("\n") };
}

for (const engine of ["http1", "node"])
  test.each([
    ["Json", (target: string) => `"target":"${target}"`],
    ["Combined", (target: string) => `"GET ${target} HTTP/1.1"`],
  ] as const)(`API keys and answers to sign-ins stand nowhere in what the gateway writes, with Server:Engine ${engine} and the format %s`, async (format, shown) => {
    const { log, lines } = await written(format, engine, async (port) => {
      expect(statusOf(await getRaw(port, `/a?x=%31&api_key=${key}&y`))).toBe(200);
      expect(statusOf(await getRaw(port, `/b?%61pi%5Fkey=${key}`, "shop.test", `Referer: http://shop.test/a?api_key=${key}\r\n`))).toBe(200);
      expect(statusOf(await getRaw(port, `/c?api_key=${key}&api_key=${key}`))).toBe(401);
      expect(statusOf(await getRaw(port, `/d?API_KEY=${key}&reset=${key}`))).toBe(401);
      expect(statusOf(await getRaw(port, `/signin-party?code=${code}&state=${code}&x=1`))).toBeGreaterThanOrEqual(400);
      await sendRaw(port, `GET /e?api_key=${key} x HTTP/1.1\r\nHost: shop.test\r\n\r\n`).catch(() => "");
      await sendRaw(port, `GET /f?api_key=${key} HTTP/1.1\r\n\r\n`).catch(() => "");
      await origin.close();
      expect(statusOf(await getRaw(port, `/g?api_key=${key}`))).toBe(502);
    });
    const all = log + lines.join("\n");
    expect(all).not.toContain(key);
    expect(all).not.toContain(code);
    for (const target of ["/a?x=%31&api_key=***&y", "/b?%61pi%5Fkey=***", "/c?api_key=***&api_key=***", "/d?API_KEY=***&reset=***", "/signin-party?code=***&state=***&x=1", "/g?api_key=***"]) {
      expect(lines.filter((line) => line.includes(shown(target)))).toHaveLength(1);
    }
    expect(lines.find((line) => line.includes(shown("/b?%61pi%5Fkey=***")))).toContain("http://shop.test/a?api_key=***");
  });
