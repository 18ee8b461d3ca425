/**
 * The gateway: small requests are forwarded to the service, downloads are handed to the process of `receiver.ts`, which answers the clients
 * itself. A second set of carriers shows the same with request queues of HTTP.sys.
 */
import { createHttpSysCarrier, createUnixCarrier, Delegator, type DelegationCarrier } from "@proxy/delegation";
import { createEngineServer } from "@proxy/http";
import type { DelegationSource } from "@proxy/httpsys";
import { createReverseProxy, type ReverseProxy } from "@proxy/pipeline";

/** Linux and macOS: connections, over a Unix-domain socket. */
export const overSockets = (): DelegationCarrier => createUnixCarrier();

/** Windows: requests, within HTTP.sys; `sources` are the open servers of this process (`delegationSource` of each). */
export const withinHttpSys = (sources: () => readonly DelegationSource[]): DelegationCarrier => createHttpSysCarrier(sources);

export interface Gateway {
  readonly port: number;
  readonly proxy: ReverseProxy;
  readonly delegator: Delegator;
  close(): Promise<void>;
}

/** Downloads go to whoever listens at `socket`, everything else is forwarded to `service`. */
export async function startGateway(socket: string, service: string, port: number): Promise<Gateway> {
  const delegator = new Delegator({
    carriers: [overSockets()],
    onEvent: ({ type, queueName, error }) => {
      if (type !== "delegated") process.stdout.write(`${type} ${queueName} ${error?.message ?? ""}\n`);
    },
  });
  const proxy = await createReverseProxy({
    delegator,
    config: {
      routes: {
        downloads: { clusterId: "downloads", match: { path: "/downloads/{**file}" } },
        rest: { clusterId: "service", match: { path: "{**all}" } },
      },
      clusters: {
        downloads: { destinations: { files: { address: "http://files/", metadata: { DelegationSocket: socket, DelegationMode: "perRequest" } } } },
        service: { destinations: { one: { address: service } } },
      },
    },
  });
  const server = createEngineServer({ handler: proxy.handle });
  const bound = await server.listen({ host: "127.0.0.1", port });
  return {
    port: bound.port,
    proxy,
    delegator,
    async close() {
      await server.close(1000);
      await proxy.close();
    },
  };
}

if (import.meta.main) {
  const [socket = "/tmp/delegation-example/files.sock", service = "http://127.0.0.1:3000/"] = process.argv.slice(2);
  const { port } = await startGateway(socket, service, 8080);
  process.stdout.write(`Listening on http://127.0.0.1:${port}\n`);
}
