/** The other process of the tests: answers on connections that come over the socket named by its argument. */
import { createServer } from "node:http";
import { createEngineServer, HeaderList } from "@proxy/http";
import { createReceiver } from "../../src/receiver/index.ts";

const [path, kind] = process.argv.slice(2) as [string, string];
const large = Buffer.alloc(1_048_576, "x");

const http = createServer((request, response) => {
  let length = 0;
  request.on("data", (chunk: Buffer) => (length += chunk.length));
  request.on("end", () => (request.url === "/large" ? response.end(large) : response.end(`${request.url} ${length}\n`)));
});
http.on("upgrade", (_request, socket, head) => {
  socket.on("error", () => undefined);
  socket.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n");
  socket.write(head);
  socket.pipe(socket);
});

const engine = createEngineServer({
  handler({ request, body, response }) {
    const answer = (length: number): void =>
      response.send({ status: 200, headers: new HeaderList() }, request.target === "/large" ? large : `${request.target} ${length}\n`);
    if (body === undefined) return answer(0);
    let length = 0;
    body.read({ onData: (chunk) => void (length += chunk.length), onEnd: () => answer(length), onError: () => undefined });
  },
});

const receiver = await createReceiver({ path, server: kind === "engine" ? engine : http });
process.on("message", () => process.send?.({ connections: receiver.connectionCount, ...receiver.counts, cpu: process.cpuUsage() }));
process.send?.("ready");
