/**
 * Load on a gateway that delegates over HTTP.sys, three processes: clients here, the gateway with the whole of its pipeline, and a target that
 * is killed with SIGKILL and started anew. Tells what became of every request, and what both processes hold before and after.
 */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { Agent, request as httpRequest } from "node:http";
// @boundaries-ignore the double of the HTTP Server API
import { freePort } from "../../../../../packages/httpsys/test/double.ts";
// @boundaries-ignore the double of the HTTP Server API
import { buildDouble } from "../../../../../tooling/httpsys-double/build.ts";
import { configFolder } from "../../support/config-file.ts";
import { gatewayConfig, ProcessStarter } from "./processes.ts";
import type { ProcessReport } from "./process-report.ts";

export interface LoadOptions {
  readonly requests: number;
  /** The target is killed when so many were begun since the last time. */
  readonly killEvery: number;
  readonly sanitize?: boolean | undefined;
  /** Told of progress. */
  readonly note?: ((line: string) => void) | undefined;
}

export interface LoadReport {
  /** How many requests ended in which way: `answered` with the right body, `status 503`, or something that must not be. */
  readonly outcomes: Readonly<Record<string, number>>;
  readonly sent: number;
  readonly kills: number;
  readonly gateway: { readonly before: ProcessReport; readonly after: ProcessReport };
  /** Of the target that was started last. */
  readonly target: { readonly before: ProcessReport; readonly after: ProcessReport };
  /** Of target and gateway: 99 when the sanitizer found an error or a leak. */
  readonly exitCodes: readonly unknown[];
  /** What any of the processes wrote to its standard error. */
  readonly stderr: string;
}

const bodies = [0, 100, 5000, 19_999, 64_000, 250_000];
const largest = 10_000_000;
const clients = 8;

export async function delegatedLoad({ requests, killEvery, sanitize = false, note = () => undefined }: LoadOptions): Promise<LoadReport> {
  await using folder = await configFolder();
  const library = buildDouble({ sanitize });
  await using processes = new ProcessStarter(sanitize);
  const [port, targetPort] = [await freePort(), await freePort()];
  const queue = `load-${process.pid}-${port}`;
  const file = await folder.write("gateway.json", gatewayConfig({ library, port, targetPort, queue }));
  const gateway = await processes.start("gateway-process.ts", library, file);
  const startTarget = (): Promise<ChildProcess> => processes.start("target-process.ts", library, queue, String(targetPort));
  let target = await startTarget();

  const outcomes: Record<string, number> = {};
  let sent = 0;
  const ask = async (agent: Agent, size: number): Promise<void> => {
    sent++;
    const outcome = await post(port, agent, size);
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  };
  const warm = async (): Promise<void> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let i = 0; i < 30; i++) await ask(agent, bodies[i % bodies.length] as number);
    agent.destroy();
  };
  await warm();
  const gatewayBefore = await settled(gateway);
  let targetBefore = await settled(target);

  let begun = 0;
  let kills = 0;
  /** While the target is dead: others ask once in vain, then wait. */
  let restart: Promise<void> | undefined;
  const killAndRestart = async (): Promise<void> => {
    kills++;
    target.kill("SIGKILL");
    await once(target, "exit");
    // Nobody has the queue: these are for the gateway to answer.
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let i = 0; i < 3; i++) await ask(agent, 5000);
    agent.destroy();
    target = await startTarget();
    note(`killed ${kills}: ${JSON.stringify(outcomes)}`);
    restart = undefined;
  };
  const client = async (): Promise<void> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (begun < requests) {
      const index = begun++;
      if (index > 0 && index % killEvery === 0) restart ??= killAndRestart();
      await ask(agent, index % 200 === 0 ? largest : (bodies[index % bodies.length] as number));
      if (restart !== undefined) await restart;
    }
    agent.destroy();
  };
  await Promise.all(Array.from({ length: clients }, client));

  if (kills > 0) {
    // The last target has begun under load: what it holds at rest is measured, then loaded once more.
    targetBefore = await settled(target);
    await warm();
  }
  const report: LoadReport = {
    outcomes, sent, kills,
    gateway: { before: gatewayBefore, after: await settled(gateway) },
    target: { before: targetBefore, after: await settled(target) },
    exitCodes: [],
    stderr: "",
  };
  const exitCodes: unknown[] = [];
  for (const child of [target, gateway]) {
    const said = child.stderr === null ? undefined : once(child.stderr, "close");
    child.disconnect();
    exitCodes.push(((await once(child, "exit")) as [unknown])[0]);
    await said;
  }
  return { ...report, exitCodes, stderr: processes.stderr };
}

/** What a process holds once no connection is left. */
async function settled(child: ChildProcess): Promise<ProcessReport> {
  for (;;) {
    child.send("report");
    const [report] = (await once(child, "message")) as [ProcessReport];
    if (report.live.connections === 0 && report.live.lent === 0) return report;
  }
}

/** One request; what it came to. */
function post(port: number, agent: Agent, size: number): Promise<string> {
  return new Promise((resolve) => {
    const request = httpRequest({ port, agent, host: "127.0.0.1", method: "POST", path: "/x", headers: { "content-length": size } }, (response) => {
      let text = "";
      response.setEncoding("latin1");
      response.on("data", (chunk: string) => void (text += chunk));
      response.on("end", () => resolve(response.statusCode !== 200 ? `status ${response.statusCode}` : text === String(size) ? "answered" : "wrong body"));
      response.on("error", (error: NodeJS.ErrnoException) => resolve(`cut within the response: ${error.code}`));
    });
    request.on("error", (error: NodeJS.ErrnoException) => resolve(`cut: ${error.code}`));
    request.end(body.subarray(0, size));
  });
}

const body = Buffer.alloc(largest, 97);
