import express, { type Express } from "express";
import { createReverseProxy, transforms, type ReverseProxy } from "@proxy/pipeline";

/** In an express app: what no route matches goes on to the next handler. */
export async function createApp(orders: string): Promise<{ app: Express; proxy: ReverseProxy }> {
  const proxy = await createReverseProxy({
    config: {
      routes: {
        orders: {
          clusterId: "orders",
          match: { path: "/api/orders/{**rest}", methods: ["GET", "POST"] },
          transforms: [transforms.pathRegex("^/api/orders", { replace: "/v2/orders" })],
        },
      },
      clusters: { orders: { destinations: { one: { address: orders } } } },
    },
  });
  const app = express();
  app.use(proxy.nodeHandler);
  app.get("/", (_req, res) => void res.send("the shop\n"));
  return { app, proxy };
}
