import type { ClusterConfig, RouteConfig } from "@proxy/config";
import { createEngineServer, createNodeServer } from "@proxy/http";
import { describe, expect, test } from "vitest";
import { createReverseProxy } from "@proxy/pipeline";
import { exchangeBytes, rawDestination } from "./support/raw-sockets.ts";

const upgrade = "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

const c = { clusterId: "c" };
const variants: readonly (readonly [string, Partial<RouteConfig>, Partial<ClusterConfig>])[] = [
  ["plain", c, {}],
  ["response transforms", { ...c, transforms: [{ ResponseHeader: "X-Added", Set: "1", When: "Always" }] }, {}],
  ["session affinity", c, { sessionAffinity: { enabled: true, affinityKeyName: "key" } }],
  ["outlier detection", c, { outlierDetection: { enabled: true } }],
  ["retries", c, { retry: { perTryTimeout: 5000, statusCodes: [503] } }],
  ["a traffic split", { trafficSplit: { clusters: { c: 1 } } }, {}],
  ["a sticky traffic split", { trafficSplit: { clusters: { c: 1 }, sticky: { name: "v" } } }, {}],
  ["a mirror", { ...c, mirror: { clusterId: "c" } }, {}],
];

describe.each([["engine", createEngineServer], ["node", createNodeServer]] as const)("behind the %s server", (_name, createFront) => {
  test.each(variants)("an upgrade passes with %s", async (_title, route, cluster) => {
    const destination = await rawDestination((received, socket) => {
      if (received.endsWith("\r\n\r\n")) socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello");
    });
    const proxy = await createReverseProxy({
      config: {
        routes: { r: { match: { path: "/{**rest}" }, ...route } },
        clusters: { c: { destinations: { d: { address: `http://127.0.0.1:${destination.port}/` } }, ...cluster } },
      },
    });
    const server = createFront({ handler: proxy.handle });
    const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
    expect(await exchangeBytes(port, upgrade, /hello|HTTP\/1.1 [2-5].*\r\n\r\n/su)).toMatch(/^HTTP\/1.1 101 .*hello$/su);
    await server.close(500);
    await proxy.close();
    await destination.close();
  });
});
