import http from "node:http";
import fastProxy from "fast-proxy";

const [port, destination] = process.argv.slice(2);
const { proxy } = fastProxy({ base: destination, undici: { connections: 256, pipelining: 1 } });
// It sets X-Forwarded-Host itself; the others are left to its user.
const rewriteRequestHeaders = (req, headers) => {
  headers["x-forwarded-for"] = req.socket.remoteAddress;
  headers["x-forwarded-proto"] = "http";
  return headers;
};
const options = { rewriteRequestHeaders };
http.createServer((req, res) => proxy(req, res, req.url, options)).listen(Number(port), "127.0.0.1");
