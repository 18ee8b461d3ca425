/**
 * The process that has the files: a server that listens on no port. Of `node:http`, or of the engine that the gateway itself serves with, which
 * costs less.
 */
import { createServer } from "node:http";
import { createReceiver, type DelegationReceiver } from "@proxy/delegation/receiver";
import { createEngineServer, HeaderList, type AdoptingServer } from "@proxy/http";

export const kinds = ["node:http", "engine"] as const;
export type Kind = (typeof kinds)[number];

const textFor = (target: string | undefined, address: string | undefined): string => `${target} for ${address}, answered by process ${process.pid}\n`;

function engineServer(): AdoptingServer {
  const headers = HeaderList.from([["Content-Type", "text/plain"]]);
  return createEngineServer({
    handler: ({ request, connection, response }) => response.send({ status: 200, headers }, textFor(request.target, connection.remoteAddress)),
  });
}

const httpServer = (): ReturnType<typeof createServer> => createServer((request, response) => {
  response.setHeader("Content-Type", "text/plain");
  response.end(textFor(request.url, request.socket.remoteAddress));
});

export function startReceiver(path: string, kind: Kind): Promise<DelegationReceiver> {
  const server = kind === "engine" ? engineServer() : httpServer();
  return createReceiver({ path, server, onFault: (error) => process.stderr.write(`${error.message}\n`) });
}

if (import.meta.main) {
  const [path = "/tmp/delegation-example/files.sock", kind = "node:http"] = process.argv.slice(2);
  await startReceiver(path, kind === "engine" ? "engine" : "node:http");
  process.stdout.write(`Taking connections at ${path}\n`);
}
