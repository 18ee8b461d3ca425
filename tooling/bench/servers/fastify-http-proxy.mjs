import fastify from "fastify";
import httpProxy from "@fastify/http-proxy";

const [port, destination, routes] = process.argv.slice(2);
const server = fastify({ bodyLimit: 100_000_000 });
const undici = { connections: 256, pipelining: 1 };
const rewriteRequestHeaders = (req, headers) => ({
  ...headers,
  "x-forwarded-for": req.socket.remoteAddress,
  "x-forwarded-proto": "http",
  "x-forwarded-host": req.headers.host,
});
// Each registration is an encapsulated plugin with a client of its own; all routes share one cluster here, so
// they are ordinary routes that reply from it.
if (Number(routes) > 0) {
  const { default: replyFrom } = await import("@fastify/reply-from");
  server.register(replyFrom, { base: destination, undici });
  for (let i = 0; i < Number(routes); i++) server.all(`/route-${i}/*`, (_request, reply) => reply.from(undefined, { rewriteRequestHeaders }));
} else {
  server.register(httpProxy, { upstream: destination, undici, replyOptions: { rewriteRequestHeaders } });
}
await server.listen({ port: Number(port), host: "127.0.0.1" });
