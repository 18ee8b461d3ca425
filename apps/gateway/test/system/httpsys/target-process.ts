/**
 * The process that requests are delegated to: `target-process.ts <library> <queue> <port>`. Answers with the length of the body. Reports when
 * asked; ends with its parent.
 */
import { HeaderList } from "@proxy/http";
import { createHttpSysServer } from "@proxy/httpsys";
import { reportWhenAsked } from "./process-report.ts";

const [libraryPath, name, port] = process.argv.slice(2) as [string, string, string];
const server = createHttpSysServer({
  libraryPath,
  queue: { name, mode: "createOrOpen" },
  prefixes: [`http://localhost:${port}/`],
  limits: { maxRequestBodySize: undefined },
  handler({ body, response }) {
    let size = 0;
    const answer = (): void => response.send({ status: 200, headers: HeaderList.from([["X-Process", String(process.pid)]]) }, String(size));
    if (body === undefined) return answer();
    body.read({ onData: (chunk) => ((size += chunk.length), true), onEnd: answer, onError: (error) => response.abort(error) });
  },
});
await server.listen({ host: "localhost", port: Number(port) });
reportWhenAsked(libraryPath);
process.on("disconnect", () => void server.close(0).then(() => process.exit(0)));
process.send?.("ready");
