/** A target process: `target.ts <library> <queue name> <port>`. Answers what is delegated to it with the length of the body. */
import { HeaderList } from "@proxy/http";
import { createHttpSysServer } from "../../src/index.ts";

const [libraryPath, name, port] = process.argv.slice(2) as [string, string, string];

const server = createHttpSysServer({
  libraryPath,
  queue: { name, mode: "create" },
  limits: { maxRequestBodySize: undefined },
  handler(exchange) {
    let size = 0;
    const answer = (): void => exchange.response.send({ status: 200, headers: HeaderList.from([["X-Process", String(process.pid)]]) }, String(size));
    if (exchange.body === undefined) answer();
    else {
      exchange.body.read({
        onData: (chunk) => {
          size += chunk.length;
          return true;
        },
        onEnd: answer,
        onError: (error) => exchange.response.abort(error),
      });
    }
  },
});
await server.listen({ host: "localhost", port: Number(port) });
process.send?.("ready");
process.on("disconnect", () => void server.close(0).then(() => process.exit(0)));
