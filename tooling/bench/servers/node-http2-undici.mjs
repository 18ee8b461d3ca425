/** What everyone would write: the compatibility layer of node:http2 in front, a pool of undici behind. */
import { readFileSync } from "node:fs";
import http2 from "node:http2";
import { Pool } from "undici";

const [port, destination, , certificate, key] = process.argv.slice(2);
const pool = new Pool(destination, { connections: 256, pipelining: 1 });
const server = http2.createSecureServer({ cert: readFileSync(certificate), key: readFileSync(key), allowHTTP1: true });
server.on("request", (request, response) => {
  const headers = { host: request.authority };
  for (const [name, value] of Object.entries(request.headers)) if (name[0] !== ":") headers[name] = value;
  headers["x-forwarded-for"] = request.socket.remoteAddress;
  headers["x-forwarded-proto"] = "https";
  headers["x-forwarded-host"] = request.authority;
  const hasBody = request.method !== "GET" && request.method !== "HEAD";
  pool.stream(
    { path: request.url, method: request.method, headers, body: hasBody ? request : null, opaque: response },
    ({ statusCode, headers: fields, opaque }) => {
      for (const name of ["connection", "keep-alive", "transfer-encoding"]) delete fields[name];
      opaque.writeHead(statusCode, fields);
      return opaque;
    },
    (error) => error && response.stream?.destroy(),
  );
});
server.listen(Number(port), "127.0.0.1");
