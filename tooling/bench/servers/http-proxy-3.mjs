import http from "node:http";
import { createProxyServer } from "http-proxy-3";

const [port, target] = process.argv.slice(2);
const proxy = createProxyServer({ target, xfwd: true, agent: new http.Agent({ keepAlive: true, maxSockets: 256 }) });
proxy.on("error", (_error, _req, res) => res.destroy?.());
http.createServer((req, res) => proxy.web(req, res)).listen(Number(port), "127.0.0.1");
