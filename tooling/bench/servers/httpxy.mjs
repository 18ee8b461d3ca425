import http from "node:http";
import { createProxyServer } from "httpxy";

const [port, target] = process.argv.slice(2);
const proxy = createProxyServer({ target, xfwd: true, agent: new http.Agent({ keepAlive: true, maxSockets: 256 }) });
http
  .createServer((req, res) => {
    proxy.web(req, res).catch(() => res.destroy());
  })
  .listen(Number(port), "127.0.0.1");
