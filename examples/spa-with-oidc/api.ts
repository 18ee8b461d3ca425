/** The API: it believes what the gateway says of the user, since nobody else reaches it. */
import { createServer, type Server } from "node:http";
import { fileURLToPath } from "node:url";

export function startApi(port: number): Server {
  const server = createServer((request, response) => {
    response.writeHead(200, { "Content-Type": "application/json" });
    response.end(JSON.stringify({ user: request.headers["x-user"], cookie: request.headers.cookie ?? null, path: request.url }));
  });
  return server.listen(port, "127.0.0.1");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) startApi(5000);
