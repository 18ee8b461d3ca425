/** The process that has the files, on Windows: a server of HTTP.sys with a queue of its own, which requests are delegated to. */
import { HeaderList } from "@proxy/http";
import { createHttpSysServer, type HttpSysServer } from "@proxy/httpsys";

export interface ReceiverOptions {
  readonly queue: string;
  /** Of the URL prefix `http://localhost:port/` that the queue has. */
  readonly port: number;
  /** Another library with the API than httpapi.dll. */
  readonly libraryPath?: string | undefined;
}

export async function startReceiverOnHttpSys({ queue, port, libraryPath }: ReceiverOptions): Promise<HttpSysServer> {
  const headers = HeaderList.from([["Content-Type", "text/plain"]]);
  const server = createHttpSysServer({
    libraryPath,
    // The gateway's handle may keep the queue in being while this process starts again.
    queue: { name: queue, mode: "createOrOpen" },
    handler: ({ request, connection, response }) =>
      response.send({ status: 200, headers }, `${request.target} for ${connection.remoteAddress}, answered by process ${process.pid}\n`),
  });
  await server.listen({ host: "localhost", port });
  return server;
}

if (import.meta.main) {
  const [queue = "delegation-example", port = "8081", libraryPath] = process.argv.slice(2);
  await startReceiverOnHttpSys({ queue, port: Number(port), libraryPath });
  process.stdout.write(`Taking requests of the queue ${queue}\n`);
}
