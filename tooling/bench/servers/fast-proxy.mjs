import http from "node:http";
import fastProxy from "fast-proxy";

const [port, destination] = process.argv.slice(2);
const { proxy } = fastProxy({ base: destination, undici: { connections: 256, pipelining: 1 } });
http.createServer((req, res) => proxy(req, res, req.url, {})).listen(Number(port), "127.0.0.1");
