import { pathToFileURL } from "node:url";
import type { RandomSource } from "@proxy/cluster";
import { createNodeServer, type FrontServer } from "@proxy/http";
import { createReverseProxy, insertBefore, type ReverseProxy } from "@proxy/pipeline";
import { canaryStep } from "./canary-step.ts";
import { weighted } from "./weighted-policy.ts";

export interface Running {
  readonly server: FrontServer;
  readonly proxy: ReverseProxy;
  readonly port: number;
}

/** A proxy on `port` of this machine that balances `big` and `small` nine to one, with `canary` aside. */
export async function start(
  addresses: { readonly big: string; readonly small: string; readonly canary: string },
  port: number,
  random?: RandomSource,
): Promise<Running> {
  const proxy = await createReverseProxy({
    config: {
      routes: {
        all: { clusterId: "stable", match: { path: "/{**rest}" }, metadata: { CanaryCluster: "canary" } },
      },
      clusters: {
        stable: {
          loadBalancingPolicy: "Weighted",
          destinations: {
            big: { address: addresses.big, metadata: { Weight: "9" } },
            small: { address: addresses.small, metadata: { Weight: "1" } },
          },
        },
        canary: { destinations: { canary: { address: addresses.canary } } },
      },
    },
    loadBalancingPolicies: [weighted(random)],
    steps: (steps) => insertBefore(steps, "session-affinity", canaryStep),
  });
  const server = createNodeServer({ handler: proxy.handle });
  const address = await server.listen({ host: "127.0.0.1", port });
  return { server, proxy, port: address.port };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const [big = "http://127.0.0.1:3001", small = "http://127.0.0.1:3002", canary = "http://127.0.0.1:3003"] =
    process.argv.slice(2);
  const { port } = await start({ big, small, canary }, 8080);
  process.stdout.write(`Listening on http://127.0.0.1:${port}\n`);
}
