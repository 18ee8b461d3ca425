/** A browser that reads answers across origins: what the policy allows, and nothing else. */
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect } from "vitest";
import { configFolder } from "../support/config-file.ts";
import { startGateway } from "../support/running-gateway.ts";
import { startChromium } from "./chromium.ts";
import { testWith } from "./required-programs.ts";

async function startDestination() {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    // As careless as they come.
    response.writeHead(200, { "Access-Control-Allow-Origin": "*", "X-Total": "7", "Content-Type": request.url === "/page" ? "text/html" : "text/plain" });
    response.end(request.headers.cookie ?? "no cookie");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    asked,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** What a page gets: status, body and the exposed field, or that the browser kept the answer from it. */
const ask = (url: string, options: string): string =>
  `fetch(${JSON.stringify(url)}, ${options}).then(async (r) => [r.status, await r.text(), r.headers.get("x-total")], (e) => e.name)`;

describe("a browser on a page of another origin", () => {
  testWith(["chromium"], "reads what the policy of the route allows, and nothing else", async ({ chromium }) => {
    await using folder = await configFolder();
    await using destination = await startDestination();
    const route = (path: string, policy: string | undefined, methods?: readonly string[]) => ({ ClusterId: "c", Match: { Path: path, Methods: methods }, CorsPolicy: policy });
    const file = await folder.write("gateway.json", {
      Policies: {
        Cors: {
          spa: { Origins: ["http://*.page.test"], Methods: ["PUT"], Headers: ["X-Token"], ExposedHeaders: ["X-Total"], Credentials: true },
          other: { Origins: ["https://other.test"], Methods: ["*"], Headers: ["*"] },
        },
      },
      ReverseProxy: {
        Routes: { page: route("/page", undefined), spa: route("/spa", "spa", ["GET", "PUT"]), other: route("/other", "other"), off: route("/off", "Disable") },
        Clusters: { c: { Destinations: { d: { Address: destination.url } } } },
      },
    });
    await using gateway = await startGateway([file]);
    await using browser = await startChromium(chromium as string);
    await browser.open(`http://app.page.test:${gateway.port}/page`);
    // The port is part of an origin: this page's is not that of the policy.
    const api = `http://api.page.test:${gateway.port}`;
    expect(await browser.evaluate(ask(`${api}/spa`, "{}"))).toBe("TypeError");
    await folder.write("gateway.json", (await readFile(file, "utf8")).replace("http://*.page.test", `http://*.page.test:${gateway.port}`));
    await gateway.logged((entry) => String(entry["message"]).includes("configuration is in use"));
    expect(await browser.evaluate(ask(`${api}/spa`, "{}"))).toEqual([200, "no cookie", "7"]);
    expect(await browser.evaluate(ask(`${api}/spa`, `{ method: "PUT", credentials: "include", headers: { "X-Token": "t" } }`))).toEqual([200, "no cookie", "7"]);
    const before = destination.asked.length;
    expect(await browser.evaluate(ask(`${api}/spa`, `{ method: "PUT", headers: { "X-Unknown": "t" } }`))).toBe("TypeError");
    expect(await browser.evaluate(ask(`${api}/spa`, `{ method: "DELETE" }`))).toBe("TypeError");
    expect(await browser.evaluate(ask(`${api}/other`, `{ method: "PUT" }`))).toBe("TypeError");
    expect(destination.asked.length).toBe(before);
    expect(await browser.evaluate(ask(`${api}/other`, "{}"))).toBe("TypeError");
    expect(await browser.evaluate(ask(`${api}/off`, "{}"))).toBe("TypeError");
  });
});
