import type { IncomingMessage, ServerResponse } from "node:http";
import { forwardNode } from "@proxy/forwarder";
import type { HttpClient } from "@proxy/http";
import { createReverseProxy, insertBefore, type Step } from "@proxy/pipeline";

// router: { "api.example": …, "/files": …, "api.example/v2": … } and a target for all else
export const createRouter = (addresses: { readonly api: string; readonly v2: string; readonly files: string; readonly site: string }) =>
  createReverseProxy({
    config: {
      routes: {
        v2: { clusterId: "v2", match: { hosts: ["api.example"], path: "/v2/{**rest}" } },
        api: { clusterId: "api", match: { hosts: ["api.example"] } },
        files: { clusterId: "files", match: { path: "/files/{**rest}" } },
        site: { clusterId: "site", match: { path: "/{**rest}" } },
      },
      clusters: {
        v2: { destinations: { one: { address: addresses.v2 } } },
        api: { destinations: { one: { address: addresses.api } } },
        files: { destinations: { one: { address: addresses.files } } },
        site: { destinations: { one: { address: addresses.site } } },
      },
    },
  });

// router: async (req) => address
export async function byLookUp(req: IncomingMessage, res: ServerResponse, client: HttpClient, addressOf: (host: string) => Promise<string>) {
  await forwardNode(req, res, await addressOf(req.headers.host ?? ""), client);
}

// Several targets that can stand in for one another, which http-proxy leaves to you
export const createBalancer = (first: string, second: string) =>
  createReverseProxy({
    config: {
      routes: { all: { clusterId: "all", match: { path: "/{**rest}" } } },
      clusters: {
        all: {
          loadBalancingPolicy: "RoundRobin",
          healthCheck: { active: { enabled: true, path: "/healthy", interval: "10s" } },
          destinations: { first: { address: first }, second: { address: second } },
        },
      },
    },
  });

// A router that decides between clusters
const beta: Step = {
  name: "beta",
  run(ctx, next) {
    const cluster = ctx.exchange.request.headers.has("x-beta") ? ctx.state.cluster("beta") : undefined;
    if (cluster !== undefined) ctx.reassign(cluster);
    return next(ctx);
  },
};

export const createBetaProxy = (stable: string, next: string) =>
  createReverseProxy({
    config: {
      routes: { all: { clusterId: "stable", match: { path: "/{**rest}" } } },
      clusters: { stable: { destinations: { one: { address: stable } } }, beta: { destinations: { one: { address: next } } } },
    },
    steps: (steps) => insertBefore(steps, "session-affinity", beta),
  });
