import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { Agent, createServer, request, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
// @boundaries-ignore the double of the HTTP Server API
import { freePort, missing } from "../../../packages/httpsys/test/double.ts";
// @boundaries-ignore the double of the HTTP Server API
import { buildDouble } from "../../../tooling/httpsys-double/build.ts";
import { startGateway, startGatewayOnHttpSys, type Gateway } from "../gateway.ts";
import { kinds, type Kind } from "../receiver.ts";

const service = createServer((incoming, response) => response.end(`service ${incoming.url}\n`));
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
const closers: (() => unknown)[] = [];
let directory: string;
let socket: string;
let gateway: Gateway;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "delegation-example-"));
  socket = join(directory, "files.sock");
  service.listen(0, "127.0.0.1");
  await once(service, "listening");
  gateway = await startGateway(socket, serviceUrl(), 0);
});

afterEach(async () => {
  agent.destroy();
  for (const close of closers.splice(0)) await close();
  await gateway.close();
  service.closeAllConnections();
  service.close();
  await rm(directory, { recursive: true });
});

const serviceUrl = (): string => `http://127.0.0.1:${(service.address() as AddressInfo).port}/`;
const startReceiver = (kind: Kind): Promise<number> => startProcess("receiver.ts", socket, kind);

async function startProcess(module: string, ...args: string[]): Promise<number> {
  const child = fork(fileURLToPath(new URL(`../${module}`, import.meta.url)), args, { execArgv: ["--conditions=@proxy/source"], silent: true });
  closers.push(async () => {
    child.kill();
    await once(child, "exit");
  });
  await once(child.stdout!, "data");
  return child.pid!;
}

/** Over one connection, as long as it is kept. */
async function get(path: string): Promise<string> {
  const sent = request({ host: "127.0.0.1", port: gateway.port, path, agent }).end();
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  let text = `${response.statusCode} `;
  for await (const chunk of response) text += String(chunk);
  return text;
}

test.each(kinds)("downloads are answered by the other process (%s), the rest by the service, over one connection", async (kind) => {
  expect(await get("/downloads/a")).toBe("503 ");
  const pid = await startReceiver(kind);
  expect(await get("/downloads/a?b")).toBe(`200 /downloads/a?b for 127.0.0.1, answered by process ${pid}\n`);
  expect(await get("/api")).toBe("200 service /api\n");
  expect(await get("/downloads/c")).toBe(`200 /downloads/c for 127.0.0.1, answered by process ${pid}\n`);
  expect(gateway.delegator.rules).toMatchObject([{ state: "attached", destinations: 1, handingOver: 0 }]);
});

test.skipIf(missing !== undefined)(`the same within HTTP.sys, through the double of its API${missing === undefined ? "" : ` (left out: ${missing})`}`, async () => {
  const [library, port, filesPort] = [buildDouble(), await freePort(), await freePort()];
  const queue = `example-${process.pid}-${port}`;
  await gateway.close();
  gateway = await startGatewayOnHttpSys({ queue, prefix: `http://localhost:${filesPort}/`, libraryPath: library }, serviceUrl(), port);
  expect(await get("/downloads/a")).toBe("503 ");
  const pid = await startProcess("receiver-on-http-sys.ts", queue, String(filesPort), library);
  expect(await get("/downloads/a?b")).toBe(`200 /downloads/a?b for 127.0.0.1, answered by process ${pid}\n`);
  expect(await get("/api")).toBe("200 service /api\n");
  expect(await get("/downloads/c")).toBe(`200 /downloads/c for 127.0.0.1, answered by process ${pid}\n`);
  expect(gateway.delegator.rules).toMatchObject([{ carrier: "httpsys", state: "attached", destinations: 1, handingOver: 0 }]);
});
