import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";

export interface TargetReport {
  readonly connections: number;
  readonly received: number;
  readonly returned: number;
}

/** Starts the other process; resolves when it takes connections. */
export async function startTarget(path: string, kind: "engine" | "http"): Promise<ChildProcess> {
  const child = fork(new URL("target-process.ts", import.meta.url), [path, kind], { execArgv: ["--conditions=@proxy/source"] });
  await once(child, "message");
  return child;
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

/** Waits until `done` says so, for up to five seconds. */
export async function eventually(done: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 250; i++) {
    if (await done()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("it did not come to that");
}
