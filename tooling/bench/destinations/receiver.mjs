/** A server of our engine, which answers on a port and on connections that gateways hand over: both by the same code. */
import { createReceiver } from "../../../packages/delegation/dist/receiver/index.js";
import { createEngineServer, HeaderList } from "../../../packages/http/dist/index.js";

const [port, path] = process.argv.slice(2);
const megabyte = Buffer.alloc(1_048_576, "x");
const small = Buffer.alloc(100, "x");
const server = createEngineServer({
  handler: ({ request, response }) => response.send({ status: 200, headers: new HeaderList() }, request.path === "/megabyte" ? megabyte : small),
});
await createReceiver({ path, server });
await server.listen({ host: "127.0.0.1", port: Number(port) });
