import type { Server } from "node:http";
import { pathToFileURL } from "node:url";
import express from "express";
import { createReverseProxy, type ReverseProxy } from "@proxy/pipeline";

export interface Shop {
  readonly server: Server;
  readonly proxy: ReverseProxy;
}

/** An app with pages of its own that hands `/catalogue` and `/orders` to services, on `port` of this machine. */
export async function startShop(services: { catalogue: readonly string[]; orders: string }, port: number): Promise<Shop> {
  const proxy = await createReverseProxy({
    config: {
      routes: {
        catalogue: {
          clusterId: "catalogue",
          match: { path: "/catalogue/{**rest}", methods: ["GET", "HEAD"] },
          transforms: [{ PathRemovePrefix: "/catalogue" }],
        },
        orders: { clusterId: "orders", match: { path: "/orders/{**rest}" }, timeout: "10s" },
        moved: { match: { path: "/items/{id}" }, redirect: { statusCode: 308, location: "/catalogue/{id}" } },
      },
      clusters: {
        catalogue: {
          loadBalancingPolicy: "RoundRobin",
          destinations: Object.fromEntries(services.catalogue.map((address, index) => [`c${index + 1}`, { address }])),
        },
        orders: { destinations: { o1: { address: services.orders } } },
      },
    },
  });

  const app = express();
  app.get("/", (_request, response) => void response.send("the shop\n"));
  // What no route matches goes on to the handlers below. Body parsers come after it: a body is read once.
  app.use(proxy.nodeHandler);
  app.use(express.json());
  app.post("/feedback", (request, response) => void response.json({ thanks: request.body }));

  const server = app.listen(port, "127.0.0.1");
  server.on("upgrade", proxy.nodeUpgradeHandler);
  await new Promise<void>((resolve, reject) => server.once("listening", resolve).once("error", reject));
  return { server, proxy };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const [catalogue = "http://127.0.0.1:3001", orders = "http://127.0.0.1:3002", port = "8080"] = process.argv.slice(2);
  await startShop({ catalogue: catalogue.split(","), orders }, Number(port));
  process.stdout.write(`The shop is on http://127.0.0.1:${port}\n`);
}
