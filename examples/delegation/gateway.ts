/**
 * The gateway: small requests are forwarded to the service, downloads are handed to another process, which answers the clients itself. On
 * Linux and macOS connections go over a Unix-domain socket to the process of `receiver.ts`, on Windows requests go within HTTP.sys to the queue of
 * `receiver-on-http-sys.ts`.
 */
import { createHttpSysCarrier, createUnixCarrier, Delegator, type DelegationCarrier } from "@proxy/delegation";
import { createEngineServer, type ExchangeHandler, type FrontServer } from "@proxy/http";
import { createHttpSysServer, type DelegationSource, type HttpSysServer } from "@proxy/httpsys";
import { createReverseProxy, type ReverseProxy } from "@proxy/pipeline";

export interface Gateway {
  readonly port: number;
  readonly proxy: ReverseProxy;
  readonly delegator: Delegator;
  close(): Promise<void>;
}

interface Way {
  readonly carrier: DelegationCarrier;
  /** Where downloads go. */
  readonly files: { readonly address: string; readonly metadata: Readonly<Record<string, string>> };
  serve(handler: ExchangeHandler): FrontServer;
}

/** Linux and macOS: downloads go to whoever listens at `socket`, everything else is forwarded to `service`. */
export function startGateway(socket: string, service: string, port: number): Promise<Gateway> {
  const way: Way = {
    carrier: createUnixCarrier(),
    files: { address: "http://files/", metadata: { DelegationSocket: socket, DelegationMode: "perRequest" } },
    serve: (handler) => createEngineServer({ handler }),
  };
  return start(way, service, port);
}

export interface HttpSysWay {
  /** The request queue of the process that has the files, and the URL prefix that it has registered. */
  readonly queue: string;
  readonly prefix: string;
  /** Another library with the API than httpapi.dll. */
  readonly libraryPath?: string | undefined;
}

/** Windows: downloads go to the request queue of another process, everything else is forwarded to `service`. */
export function startGatewayOnHttpSys({ queue, prefix, libraryPath }: HttpSysWay, service: string, port: number): Promise<Gateway> {
  let server: HttpSysServer | undefined;
  const sources = (): readonly DelegationSource[] => (server?.delegationSource === undefined ? [] : [server.delegationSource]);
  const way: Way = {
    carrier: createHttpSysCarrier(sources),
    files: { address: prefix, metadata: { HttpSysDelegationQueue: queue } },
    serve: (handler) => (server = createHttpSysServer({ handler, libraryPath })),
  };
  return start(way, service, port);
}

async function start({ carrier, files, serve }: Way, service: string, port: number): Promise<Gateway> {
  const delegator = new Delegator({
    carriers: [carrier],
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
        downloads: { destinations: { files } },
        service: { destinations: { one: { address: service } } },
      },
    },
  });
  const server = serve(proxy.handle);
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
  const [files, service = "http://127.0.0.1:3000/"] = process.argv.slice(2);
  const way = { queue: files ?? "delegation-example", prefix: "http://localhost:8081/" };
  const { port } = process.platform === "win32"
    ? await startGatewayOnHttpSys(way, service, 8080)
    : await startGateway(files ?? "/tmp/delegation-example/files.sock", service, 8080);
  process.stdout.write(`Listening on http://127.0.0.1:${port}\n`);
}
