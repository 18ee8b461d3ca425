import { fork, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer, type AddressInfo } from "node:net";
import { parseArgs } from "node:util";
import { createEngineServer } from "../src/engine/server/engine-server.ts";
import { HeaderList } from "../src/header-list.ts";

/**
 * CPU microseconds per request of a hello world: the engine, a bare net.Socket and node:http. Needs wrk and
 * taskset. `node --conditions=@proxy/source packages/http/bench/hello-server.ts [--rounds 3] [--seconds 3]
 * [--browser] [--only engine] [--prof]`
 */
const { values } = parseArgs({
  options: {
    serve: { type: "string" },
    rounds: { type: "string", default: "3" },
    seconds: { type: "string", default: "3" },
    browser: { type: "boolean", default: false },
    only: { type: "string" },
    prof: { type: "boolean", default: false },
  },
});

const body = "hello world";
async function engine(reuseReadMemory: boolean): Promise<number> {
    const server = createEngineServer({
      reuseReadMemory,
      handler(exchange) {
        const headers = new HeaderList();
        headers.append("Content-Type", "text/plain");
        exchange.response.send({ status: 200, headers }, body);
      },
    });
    return (await server.listen({ host: "127.0.0.1", port: 0 })).port;
}

const servers: Readonly<Record<string, () => Promise<number>>> = {
  engine: () => engine(false),
  reused: () => engine(true),
  async bare() {
    const answer = `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nDate: ${new Date().toUTCString()}\r\nContent-Length: 11\r\n\r\n${body}`;
    const server = createServer({ noDelay: true }, (socket) => {
      socket.on("data", (chunk: Buffer) => {
        if (chunk.toString("latin1").endsWith("\r\n\r\n")) socket.write(answer, "latin1");
      });
      socket.on("error", () => undefined);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  },
  async http() {
    const server = createHttpServer((_request, response) => {
      response.writeHead(200, { "Content-Type": "text/plain", "Content-Length": body.length });
      response.end(body);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  },
};

const browserHeaders = [
  "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
  "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
  "Accept-Language: en-US,en;q=0.5", "Accept-Encoding: gzip, deflate, br, zstd", "Referer: https://example.test/a",
  "Upgrade-Insecure-Requests: 1", "Sec-Fetch-Dest: document", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Site: same-origin",
  "Sec-Fetch-User: ?1", "Priority: u=0, i", "Cache-Control: no-cache", "DNT: 1", `Cookie: ${"id=0123456789abcdef; ".repeat(48)}z=1`,
];

if (values.serve !== undefined) {
  const port = await (servers[values.serve] as () => Promise<number>)();
  process.send?.(port);
  process.once("message", () => process.exit(0));
} else {
  const names = values.only === undefined ? Object.keys(servers) : [values.only];
  const figures = new Map<string, number[]>(names.map((name) => [name, []]));
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const name of names) (figures.get(name) as number[]).push(await measure(name));
  }
  for (const [name, list] of figures) {
    const median = list.toSorted((a, b) => a - b)[list.length >> 1] as number;
    const bare = figures.get("bare")?.toSorted((a, b) => a - b)[list.length >> 1];
    const ratio = bare === undefined ? "" : `  ${(median / bare).toFixed(2)} of bare`;
    process.stdout.write(`${name.padEnd(8)} ${median.toFixed(1)} us/request${ratio}  (${list.map((n) => n.toFixed(1)).join(", ")})\n`);
  }
}

async function measure(name: string): Promise<number> {
  const execArgv = ["--conditions=@proxy/source", ...(values.prof ? ["--cpu-prof", "--cpu-prof-dir=/tmp/hello-prof"] : [])];
  const child = fork(import.meta.filename, ["--serve", name], { execArgv });
  const [port] = (await once(child, "message")) as [number];
  const pid = child.pid as number;
  spawn("taskset", ["-apc", "0", String(pid)], { stdio: "ignore" });
  await load(port, 1);
  const before = cpuMicroseconds(pid);
  const requests = await load(port, Number(values.seconds));
  const used = cpuMicroseconds(pid) - before;
  child.send("stop");
  await once(child, "exit");
  return used / requests;
}

function cpuMicroseconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

async function load(port: number, seconds: number): Promise<number> {
  const headers = values.browser ? browserHeaders.flatMap((line) => ["-H", line]) : [];
  const wrk = spawn("taskset", ["-c", "1", "wrk", "-t1", "-c64", `-d${seconds}s`, ...headers, `http://127.0.0.1:${port}/hello`]);
  let text = "";
  wrk.stdout.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  await once(wrk, "close");
  const found = /(\d+) requests in/.exec(text);
  if (found === null || text.includes("Non-2xx")) throw new Error(`wrk failed: ${text}`);
  return Number(found[1]);
}
