import { createServer, type Server } from "node:http";
import { pathToFileURL } from "node:url";
import { createHttpClient, forwardNode, forwardNodeUpgrade, prepareDestination } from "@proxy/forwarder";

/** A server that answers `/hello` itself and forwards everything else, WebSocket included, to one address. */
export function createForwardingServer(address: string): Server {
  const destination = prepareDestination(address);
  const client = createHttpClient();

  const server = createServer((req, res) => {
    if (req.url === "/hello") {
      res.end("hello from the server itself\n");
      return;
    }
    res.setHeader("X-Served-By", "direct-forwarding");
    forwardNode(req, res, destination, client).then(
      (error) => {
        // The client has its answer; this is for the log.
        if (error !== undefined) process.stderr.write(`${req.method} ${req.url}: ${error.message}\n`);
      },
      (fault: Error) => res.destroy(fault),
    );
  });
  server.on("upgrade", (req, socket, head) => {
    forwardNodeUpgrade(req, { socket, head }, destination, client).catch((fault: Error) => socket.destroy(fault));
  });
  server.on("close", () => void client.close());
  return server;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const [address = "http://127.0.0.1:3000", port = "8080"] = process.argv.slice(2);
  createForwardingServer(address).listen(Number(port), "127.0.0.1", () => {
    process.stdout.write(`Forwarding http://127.0.0.1:${port} to ${address}\n`);
  });
}
