import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";

export interface SampleDestination {
  readonly port: number;
  /** Whether the port asked for was taken, so that another was chosen. */
  readonly moved: boolean;
  close(): void;
}

/** A server on loopback that answers every request with its name and what it received. */
export async function startSampleDestination(name: string, port: number): Promise<SampleDestination> {
  const server = createServer((request, response) => {
    request.resume();
    request.on("end", () => {
      const headers = request.rawHeaders.flatMap((text, i, all) => (i % 2 === 0 ? [`  ${text}: ${all[i + 1]}`] : []));
      response.setHeader("Content-Type", "text/plain; charset=utf-8");
      response.end(`${name} received ${request.method} ${request.url}\n${headers.join("\n")}\n`);
    });
  });
  const moved = await listen(server, port).then(
    () => false,
    (error: NodeJS.ErrnoException) => {
      if (error.code !== "EADDRINUSE") throw error;
      return listen(server, 0).then(() => true);
    },
  );
  return {
    port: (server.address() as AddressInfo).port,
    moved,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      server.off("error", reject);
      resolve();
    });
  });
}
