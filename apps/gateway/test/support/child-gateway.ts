import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { onTestFailed } from "vitest";

const fromSource = ["--conditions=@proxy/source", fileURLToPath(new URL("../../src/main.ts", import.meta.url))];

export interface ChildGateway {
  readonly process: ChildProcess;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Resolves with code and signal once the process has ended. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  /** Resolves with the ports of the first `count` listeners; rejects when the process ends before. */
  listening(count?: number): Promise<readonly number[]>;
  /** Resolves once standard error holds `text`; rejects when the process ends before. */
  says(text: string): Promise<void>;
  /** Ends the process if it still runs. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** The gateway's command line in a process of its own, from source or from `program`. */
export function startChild(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  program: readonly string[] = fromSource,
): ChildGateway {
  const child = spawn(process.execPath, [...program, ...args], {
    env: { PATH: process.env["PATH"], ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  const watchers = new Set<() => void>();
  const notify = (): void => {
    for (const watcher of watchers) watcher();
  };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    notify();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
    notify();
  });
  tellWhenTestFails(() => `standard output of the gateway:\n${stdout}\nstandard error of the gateway:\n${stderr}\n`);
  let over = false;
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.on("close", (code, signal) => {
      over = true;
      resolve({ code, signal });
      notify();
    });
  });
  const until = <T>(find: () => T | undefined): Promise<T> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = find();
        if (found === undefined && !over) return;
        watchers.delete(look);
        if (found === undefined) reject(new Error(`the gateway ended: ${stdout}${stderr}`));
        else resolve(found);
      };
      watchers.add(look);
      look();
    });
  return {
    process: child,
    stdout: () => stdout,
    stderr: () => stderr,
    ended,
    listening: (count = 1) =>
      until(() => {
        const ports = [...stdout.matchAll(/^Listening on https?:\/\/\S+:(\d+)\n/gm)].map((match) => Number(match[1]));
        return ports.length >= count ? ports : undefined;
      }),
    says: (text) => until(() => (stderr.includes(text) ? true : undefined)).then(() => undefined),
    async [Symbol.asyncDispose]() {
      if (!over) child.kill("SIGKILL");
      await ended;
    },
  };
}

function tellWhenTestFails(text: () => string): void {
  try {
    onTestFailed(() => void process.stderr.write(text()));
  } catch {
    // Outside of a test, in a hook.
  }
}
