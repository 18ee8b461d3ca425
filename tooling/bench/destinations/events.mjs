/** Sends every client an event each 10 ms: the time, in microseconds of the clock that all processes share. */
import http from "node:http";

const clients = new Set();
const server = http.createServer((_request, response) => {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  response.flushHeaders();
  clients.add(response);
  response.on("close", () => clients.delete(response));
});
setInterval(() => {
  for (const client of clients) client.write(`data: ${process.hrtime.bigint() / 1000n}\n\n`);
}, 10);
server.listen(Number(process.argv[2]), "127.0.0.1");
