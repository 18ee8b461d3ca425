import { createServer } from "node:http";
import { pathToFileURL } from "node:url";
import { createReverseProxy, transforms } from "@proxy/pipeline";

/** An API and the pages of a dev server behind one address. */
export async function createDevServer(api: string, pages: string) {
  const proxy = await createReverseProxy({
    config: {
      routes: {
        api: { clusterId: "api", match: { path: "/api/{**rest}" }, transforms: [transforms.pathRemovePrefix("/api")] },
        events: { clusterId: "api", match: { path: "/events" } },
        pages: { clusterId: "pages", match: { path: "/{**rest}" } },
      },
      clusters: {
        api: { destinations: { one: { address: api } } },
        pages: { destinations: { one: { address: pages } } },
      },
    },
  });
  const server = createServer(proxy.nodeHandler).on("upgrade", proxy.nodeUpgradeHandler);
  return server.on("close", () => void proxy.close());
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const [api = "http://127.0.0.1:5000", pages = "http://127.0.0.1:5173", port = "8080"] = process.argv.slice(2);
  const server = await createDevServer(api, pages);
  server.listen(Number(port), "127.0.0.1", () => process.stdout.write(`http://127.0.0.1:${port}/\n`));
}
