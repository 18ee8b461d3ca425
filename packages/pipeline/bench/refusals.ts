/**
 * What a request costs the process of the proxy on the wire, forwarded and refused by `CircuitBreaker`: CPU time of a proxy of its own process
 * behind the engine, over keep-alive connections from this process.
 *
 *     node --conditions=@proxy/source packages/pipeline/bench/refusals.ts
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { connect, createServer, type AddressInfo } from "node:net";
import { createEngineServer } from "@proxy/http";
import { createReverseProxy } from "@proxy/pipeline";

const connections = 16;
const requests = 30_000;
const rounds = 5;

if (process.send === undefined) await lead();
else await serve(Number(process.argv[2]));

/** The proxy: cluster `open` has no limits, cluster `full` has room for one, which `/full/hold` takes. */
async function serve(port: number): Promise<void> {
  const destinations = { d: { address: `http://127.0.0.1:${port}` } };
  const proxy = await createReverseProxy({
    config: {
      routes: {
        open: { clusterId: "open", match: { path: "/open" } },
        full: { clusterId: "full", match: { path: "/full/{**rest}" } },
      },
      clusters: { open: { destinations }, full: { destinations, circuitBreaker: { maxRequests: 1 } } },
    },
  });
  const server = createEngineServer({ handler: proxy.handle });
  const address = await server.listen({ host: "127.0.0.1", port: 0 });
  process.on("message", () => process.send?.({ cpu: process.cpuUsage() }));
  process.send?.({ port: address.port });
}

async function lead(): Promise<void> {
  const destination = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      if (!chunk.toString("latin1").startsWith("GET /full/hold")) socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    });
  });
  destination.listen(0, "127.0.0.1");
  await once(destination, "listening");
  const child = fork(import.meta.filename, [String((destination.address() as AddressInfo).port)], { execArgv: process.execArgv });
  const [{ port }] = (await once(child, "message")) as [{ port: number }];
  const cpu = async (): Promise<number> => {
    child.send("cpu");
    const [{ cpu: used }] = (await once(child, "message")) as [{ cpu: NodeJS.CpuUsage }];
    return used.user + used.system;
  };
  const holding = connect(port, "127.0.0.1");
  holding.write("GET /full/hold HTTP/1.1\r\nHost: a\r\n\r\n");
  await load(port, "/open", requests);
  for (const [name, path] of [["forwarded", "/open"], ["refused with 503", "/full/x"], ["forwarded", "/open"], ["refused with 503", "/full/x"]] as const) {
    const costs: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const before = await cpu();
      await load(port, path, requests);
      costs.push(((await cpu()) - before) / requests);
    }
    const sorted = costs.toSorted((a, b) => a - b);
    process.stdout.write(`${name.padEnd(18)}${(sorted[rounds >> 1] ?? 0).toFixed(1).padStart(6)} µs of CPU  (${costs.map((each) => each.toFixed(1)).join(" ")})\n`);
  }
  child.kill();
  process.exit(0);
}

/** One request at a time on each connection. */
async function load(port: number, path: string, count: number): Promise<void> {
  const request = `GET ${path} HTTP/1.1\r\nHost: a\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n`;
  const run = async (times: number): Promise<void> => {
    const socket = connect(port, "127.0.0.1");
    socket.setNoDelay(true);
    await once(socket, "connect");
    const over = Promise.withResolvers<void>();
    let left = times;
    socket.on("error", over.reject);
    socket.on("close", () => over.resolve());
    socket.on("data", () => {
      if (--left === 0) socket.destroy();
      else socket.write(request);
    });
    socket.write(request);
    await over.promise;
  };
  await Promise.all(Array.from({ length: connections }, () => run(count / connections)));
}
