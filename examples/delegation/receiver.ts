/** The process that has the files: an ordinary server of `node:http`, which listens on no port. */
import { createServer } from "node:http";
import { createReceiver, type DelegationReceiver } from "@proxy/delegation/receiver";

export function startReceiver(path: string): Promise<DelegationReceiver> {
  const server = createServer((request, response) => {
    response.setHeader("Content-Type", "text/plain");
    response.end(`${request.url} for ${request.socket.remoteAddress}, answered by process ${process.pid}\n`);
  });
  return createReceiver({ path, server, onFault: (error) => process.stderr.write(`${error.message}\n`) });
}

if (import.meta.main) {
  const path = process.argv[2] ?? "/tmp/delegation-example/files.sock";
  await startReceiver(path);
  process.stdout.write(`Taking connections at ${path}\n`);
}
