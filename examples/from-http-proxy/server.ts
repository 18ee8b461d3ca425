import { createServer } from "node:http";
import { createHttpClient, forwardNode, forwardNodeUpgrade, prepareDestination } from "@proxy/forwarder";

/** One target, WebSockets included. */
export function createProxyServer(target: string) {
  const destination = prepareDestination(target);
  const client = createHttpClient();
  const server = createServer((req, res) => {
    void forwardNode(req, res, destination, client);
  });
  server.on("upgrade", (req, socket, head) => {
    void forwardNodeUpgrade(req, { socket, head }, destination, client);
  });
  return server.on("close", () => void client.close());
}
