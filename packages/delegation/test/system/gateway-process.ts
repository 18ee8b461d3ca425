/** A gateway in a process of its own: hands every request to the process that listens at its argument. */
import { createUnixCarrier, type DelegationMode } from "../../src/index.ts";
import { createEngineServer, HeaderList } from "@proxy/http";

const [path, mode] = process.argv.slice(2) as [string, DelegationMode];
const handle = await createUnixCarrier().open(path);
const server = createEngineServer({
  handler(exchange) {
    handle.delegate(exchange, { queueName: path, urlPrefix: "/", mode }, (error) => {
      if (error !== undefined) exchange.response.send({ status: 503, headers: new HeaderList() }, error.code);
    });
  },
});
const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
process.send?.({ port });
