import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startShop, type Shop } from "../index.ts";

const services: Server[] = [];
let shop: Shop;
let url: string;

async function service(name: string): Promise<string> {
  const server = createServer((request, response) => {
    request.resume().on("end", () => response.end(`${name} ${request.method} ${request.url}`));
  });
  services.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return addressOf(server);
}

function addressOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function textOf(path: string, init?: RequestInit): Promise<string> {
  return (await fetch(url + path, init)).text();
}

beforeEach(async () => {
  shop = await startShop({ catalogue: [await service("one"), await service("two")], orders: await service("orders") }, 0);
  url = addressOf(shop.server);
});

afterEach(async () => {
  for (const server of [shop.server, ...services.splice(0)]) {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  }
  await shop.proxy.close();
});

test("balances the catalogue and takes its prefix off", async () => {
  expect([await textOf("/catalogue/7?x=1"), await textOf("/catalogue/8")]).toEqual(["one GET /7?x=1", "two GET /8"]);
});

test("forwards orders with their bodies", async () => {
  expect(await textOf("/orders/", { method: "POST", body: "an order" })).toBe("orders POST /orders/");
});

test("redirects what has moved", async () => {
  const response = await fetch(`${url}/items/a%20b`, { redirect: "manual" });
  expect([response.status, response.headers.get("location")]).toEqual([308, "/catalogue/a%20b"]);
});

test("leaves the app its own pages, and 404 for what nobody has", async () => {
  expect(await textOf("/")).toBe("the shop\n");
  const feedback = { method: "POST", body: '{"text":"fine"}', headers: { "content-type": "application/json" } };
  expect(await textOf("/feedback", feedback)).toBe('{"thanks":{"text":"fine"}}');
  expect((await fetch(`${url}/nothing`)).status).toBe(404);
});

test("takes a new configuration while it runs", async () => {
  await shop.proxy.update({ routes: { all: { match: { path: "/orders/{**rest}" }, respond: { body: "closed" } } } });
  expect(await textOf("/orders/1")).toBe("closed");
});
