import { fork, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

export interface TargetReport {
  readonly connections: number;
  readonly kept: number;
  readonly received: number;
  readonly returned: number;
  /** Timers and the like that keep its event loop, by name. */
  readonly resources: readonly string[];
}

const execArgv = ["--conditions=@proxy/source"];

/** Starts the other process; resolves when it takes connections. */
export async function startTarget(path: string, kind: "engine" | "http"): Promise<ChildProcess> {
  const child = fork(new URL("target-process.ts", import.meta.url), [path, kind], { execArgv });
  await once(child, "message");
  return child;
}

/** Starts a gateway in a process of its own. */
export async function startGatewayProcess(path: string, mode: string): Promise<{ child: ChildProcess; port: number }> {
  const child = fork(new URL("gateway-process.ts", import.meta.url), [path, mode], { execArgv });
  const [{ port }] = (await once(child, "message")) as [{ port: number }];
  return { child, port };
}

/** Runs a script here as another user, who reads and writes where only the owner may: what it prints. */
export async function runAsOther(script: string, ...args: string[]): Promise<{ child: ChildProcess; line(): Promise<string> }> {
  const file = fileURLToPath(new URL(script, import.meta.url));
  const child = spawn("setpriv", [
    "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=+dac_override", "--ambient-caps=+dac_override",
    process.execPath, ...execArgv, file, ...args,
  ], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child, "spawn");
  const { stdout } = child;
  return { child, line: async () => String((await once(stdout, "data"))[0]).trim() };
}

export async function reportOf(child: ChildProcess): Promise<TargetReport> {
  child.send("report");
  const [report] = (await once(child, "message")) as [TargetReport];
  return report;
}

export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}

/** Open files of a process. */
export function descriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** Lets a process open that many files more. */
export async function limitFiles(pid: number, more: number): Promise<void> {
  const used = new Set(readdirSync(`/proc/${pid}/fd`).map(Number));
  // The system counts by the numbers of files, of which some below the highest may be free.
  let count = 0;
  for (let free = 0; free < more; count++) if (!used.has(count)) free++;
  const [code] = (await once(spawn("prlimit", [`--pid=${pid}`, `--nofile=${count}:${count}`], { stdio: "inherit" }), "exit")) as [number];
  if (code !== 0) throw new Error(`prlimit ended with ${code}`);
}

/** Waits until `done` says so: it is asked again when `child` has answered, so that both processes have had their turn. */
export async function eventually(child: ChildProcess, done: (report: TargetReport) => boolean): Promise<void> {
  const end = performance.now() + 60_000;
  while (!done(await reportOf(child))) {
    if (performance.now() > end) throw new Error("it did not come to that");
  }
}
