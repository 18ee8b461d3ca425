import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { createNodeServer } from "@proxy/http";
import { createReverseProxy, type ReverseProxy, type ReverseProxyOptions } from "@proxy/pipeline";

export interface Served {
  readonly port: number;
  close(): Promise<void>;
}

/** A proxy behind a front server on a free port. */
export async function serve(options: ReverseProxyOptions): Promise<Served & { readonly proxy: ReverseProxy }> {
  const proxy = await createReverseProxy(options);
  const server = createNodeServer({ handler: proxy.handle });
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  return {
    port,
    proxy,
    async close() {
      await server.close(1000);
      await proxy.close();
    },
  };
}

/** A destination of `node:http`. */
export async function nodeDestination(listener: RequestListener): Promise<Served> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
