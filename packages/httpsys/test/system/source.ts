/**
 * The process that delegates: `source.ts <library> <count> <kill every>`. Starts a target, sends itself requests with bodies,
 * delegates each, kills the target now and then, and prints what became of them and what is left open as JSON.
 */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { fileURLToPath } from "node:url";
import { HeaderList } from "@proxy/http";
import { createHttpSysServer, HttpSysError, isHttpSysDelegation, type DelegationSource, type QueueHandle } from "../../src/index.ts";
import { freePort, liveObjects } from "../double.ts";

const [libraryPath, count, killEvery] = process.argv.slice(2) as [string, string, string];
const name = `system-${process.pid}`;
const targetPort = await freePort();

async function startTarget(): Promise<ChildProcess> {
  const child = fork(fileURLToPath(new URL("target.ts", import.meta.url)), [libraryPath, name, String(targetPort)], { execArgv: process.execArgv });
  await once(child, "message");
  return child;
}

let held: { readonly source: DelegationSource; readonly target: QueueHandle } | undefined;

function attach(source: DelegationSource): QueueHandle {
  if (held !== undefined) return held.target;
  const target = source.calls.openRequestQueue(name, { delegation: true });
  source.calls.setDelegationProperty(source.urlGroup, target, true);
  held = { source, target };
  return target;
}

function detach(): void {
  if (held === undefined) return;
  const { source, target } = held;
  held = undefined;
  source.calls.setDelegationProperty(source.urlGroup, target, false);
  source.calls.closeRequestQueue(target);
}

const server = createHttpSysServer({
  libraryPath,
  limits: { maxRequestBodySize: undefined },
  handler(exchange) {
    const feature = exchange.features.delegation;
    if (!isHttpSysDelegation(feature)) throw new Error("no delegation feature");
    try {
      feature.delegate({ queueName: name, urlPrefix: `http://localhost:${targetPort}/`, target: attach(feature.source) } as { queueName: string; urlPrefix: string });
    } catch (error) {
      if (!(error instanceof HttpSysError)) throw error;
      detach();
      exchange.response.send({ status: 503, headers: new HeaderList() }, String(error.errorCode));
    }
  },
});
const port = await freePort();
await server.listen({ host: "127.0.0.1", port });

const outcomes: Record<string, number> = {};
const note = (outcome: string): void => void (outcomes[outcome] = (outcomes[outcome] ?? 0) + 1);

function ask(size: number): Promise<void> {
  return new Promise((resolve) => {
    const ended = (outcome: string): void => {
      note(outcome);
      resolve();
    };
    const request = httpRequest({ port, host: "127.0.0.1", method: "POST", path: "/x", agent: false, headers: { "content-length": size } }, (response) => {
      let text = "";
      response.setEncoding("latin1");
      response.on("data", (chunk: string) => void (text += chunk));
      response.on("end", () => ended(response.statusCode === 200 ? (text === String(size) ? "answered" : "wrong") : `status ${response.statusCode}`));
      response.on("error", () => ended("cut"));
    });
    request.on("error", () => ended("cut"));
    request.end(Buffer.alloc(size, 97));
  });
}

let target = await startTarget();
let sent = 0;
/** While the target is dead: others ask once in vain, then wait. */
let restart: Promise<void> | undefined;

async function killAndRestart(): Promise<void> {
  target.kill("SIGKILL");
  await once(target, "exit");
  await ask(100);
  target = await startTarget();
  restart = undefined;
}

const worker = async (): Promise<void> => {
  while (sent < Number(count)) {
    const index = sent++;
    if (index > 0 && index % Number(killEvery) === 0) restart ??= killAndRestart();
    await ask(index % 200 === 0 ? 10_000_000 : (index * 37) % 20_000);
    if (restart !== undefined) await restart;
  }
};
await Promise.all(Array.from({ length: 8 }, worker));
target.disconnect();
await once(target, "exit");
detach();
await server.close(1000);
for (let i = 0; i < 200 && Object.values(liveObjects(libraryPath)).some((live) => live > 0); i++) await new Promise((resolve) => setTimeout(resolve, 10));
process.stdout.write(`${JSON.stringify({ outcomes, live: liveObjects(libraryPath) })}\n`);
