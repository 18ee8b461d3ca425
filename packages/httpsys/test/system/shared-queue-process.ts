/** One of several processes on a queue: `shared-queue-process.ts <library> <queue> <port>`. Answers with its process id and a number of its own. */
import { HeaderList } from "@proxy/http";
import { createHttpSysServer } from "../../src/index.ts";
import { liveObjects } from "../double.ts";

const [libraryPath, name, port] = process.argv.slice(2) as [string, string, string];
let served = 0;
const server = createHttpSysServer({
  libraryPath,
  queue: { name, mode: "createOrOpen" },
  takeOverInterval: 20,
  handler: ({ response }) => response.send({ status: 200, headers: new HeaderList() }, `${process.pid} ${++served}`),
});
await server.listen({ host: "localhost", port: Number(port) });
process.on("message", () => process.send?.({ served, live: liveObjects(libraryPath) }));
process.on("disconnect", () => void server.close(5000).then(() => process.exit(0)));
process.send?.("ready");
