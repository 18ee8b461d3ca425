import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, request } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const names = ["catalog-1", "catalog-2", "orders-1", "web-1"];
const destinations: Server[] = [];
let gateway: ReturnType<typeof spawn>;
let port: number;

beforeAll(async () => {
  const env: Record<string, string | undefined> = { PATH: process.env["PATH"] };
  for (const name of names) {
    const server = createServer((req, res) => res.end(`${name} ${req.url} ${req.headers["x-gateway"] ?? ""}`.trimEnd()));
    await once(server.listen(0, "127.0.0.1"), "listening");
    destinations.push(server);
    const cluster = name.slice(0, -2);
    env[`ReverseProxy__Clusters__${cluster}__Destinations__${name}__Address`] =
      `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  }
  const main = path("../../../apps/gateway/src/main.ts");
  const args = ["run", "--config", path("../appsettings.json"), "--urls", "http://127.0.0.1:0"];
  const child = spawn(process.execPath, ["--conditions=@proxy/source", main, ...args], {
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  gateway = child;
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  port = Number(/:(\d+)\n/.exec(line.toString())?.[1]);
});
afterAll(async () => {
  gateway.kill("SIGTERM");
  await once(gateway, "exit");
  for (const server of destinations) server.close().closeAllConnections();
});

async function get(target: string, headers: Readonly<Record<string, string>> = {}): Promise<string> {
  const sending = request({ host: "127.0.0.1", port, path: target, headers, agent: false }).end();
  const [response] = (await once(sending, "response")) as [import("node:http").IncomingMessage];
  let body = "";
  for await (const chunk of response.setEncoding("utf8")) body += String(chunk);
  return body;
}

test("each request goes where the file says", async () => {
  const catalog = [await get("/api/catalog/7"), await get("/api/catalog/7")];
  expect(catalog.toSorted()).toEqual(["catalog-1 /catalog/7 shop", "catalog-2 /catalog/7 shop"]);
  expect(await get("/api/orders/42")).toBe("orders-1 /v2/orders/42");
  expect(await get("/api/orders/42", { "X-Canary": "1" })).toBe("web-1 /api/orders/42");
  expect(await get("/api/catalog/7?preview=1")).toBe("web-1 /api/catalog/7?preview=1");
  expect(await get("/users", { Host: "admin.shop.example" })).toBe("orders-1 /admin/users");
  expect(await get("/anything")).toBe("web-1 /anything");
});
