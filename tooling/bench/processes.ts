/** Starts and ends child processes, and reads what the kernel counts about them (Linux). */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import net from "node:net";

export interface Running {
  /** All processes of it: the one started and, for servers with workers, its children. */
  readonly pids: () => readonly number[];
  stop(): Promise<void>;
}

/** Starts `command` on one core; what it prints is kept for the error message when it ends early. */
export function start(core: number, command: readonly string[], env?: Readonly<Record<string, string>>): Running {
  const child: ChildProcess = spawn("taskset", ["-c", String(core), ...command], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...env },
  });
  let output = "";
  const keep = (chunk: Buffer): void => {
    if (output.length < 8192) output += chunk.toString("latin1");
  };
  child.stdout?.on("data", keep);
  child.stderr?.on("data", keep);
  let stopping = false;
  const exited = new Promise<void>((resolve, reject) => {
    child.once("exit", (code) => {
      if (stopping) resolve();
      else reject(new Error(`${command.join(" ")} ended with ${code}:\n${output}`));
    });
    child.once("error", reject);
  });
  exited.catch((error: unknown) => {
    if (stopping) return;
    process.stderr.write(`${String(error)}\n`);
    process.exitCode = 1;
  });
  return {
    pids: () => [child.pid as number, ...childrenOf(child.pid as number)],
    async stop() {
      stopping = true;
      if (child.exitCode !== null) return;
      child.kill("SIGTERM");
      const killer = setTimeout(() => child.kill("SIGKILL"), 3000);
      await exited.catch(() => undefined);
      clearTimeout(killer);
    },
  };
}

function childrenOf(parent: number): number[] {
  const children: number[] = [];
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, "latin1");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (Number(fields[1]) === parent) children.push(Number(entry));
    } catch {
      // The process ended between the two reads.
    }
  }
  return children;
}

export interface CpuTime {
  /** Microseconds. */
  readonly user: number;
  readonly system: number;
}

/** CPU time that `pids` have used so far. The kernel counts in ticks of 10 ms. */
export function cpuTime(pids: readonly number[]): CpuTime {
  let user = 0;
  let system = 0;
  for (const pid of pids) {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    user += Number(fields[11]) * 10_000;
    system += Number(fields[12]) * 10_000;
  }
  return { user, system };
}

/** Resident memory of `pids` in KiB: now, and at its highest. */
export function memory(pids: readonly number[]): { readonly now: number; readonly peak: number } {
  let now = 0;
  let peak = 0;
  for (const pid of pids) {
    const status = readFileSync(`/proc/${pid}/status`, "latin1");
    now += Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0);
    peak += Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0);
  }
  return { now, peak };
}

/** Resolves once something accepts connections on `port`. */
export async function accepts(port: number, deadlineMs = 10_000): Promise<void> {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = net.connect(port, "127.0.0.1");
      socket.once("connect", () => {
        socket.destroy();
        resolve(true);
      });
      socket.once("error", () => resolve(false));
    });
    if (open) return;
    if (Date.now() > deadline) throw new Error(`nothing listens on port ${port}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/**
 * A port that was free a moment ago, below the range that the system gives out by itself: nobody else is given it before it is
 * listened on.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 18_000 + Math.floor(Math.random() * 10_000);
    const server = net.createServer();
    const free = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => resolve(true));
    });
    if (!free) continue;
    await new Promise<void>((resolve) => server.close(() => resolve()));
    return port;
  }
}
