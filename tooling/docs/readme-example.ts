import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

export interface RunningExample {
  readonly child: ChildProcess;
  /** Its exit code and signal. */
  readonly exited: Promise<readonly [number | null, NodeJS.Signals | null]>;
  /** What it has printed first. Rejects when it ended without a word. */
  output(): Promise<string>;
}

/**
 * Runs the first TypeScript example of a README as its reader would, in a process of its own in the README's folder, while `use` looks at
 * it. `replaced`: texts of the example that cannot be the same in a test, such as a port; each has to be there.
 */
export async function withReadmeExample(
  readme: URL, replaced: Readonly<Record<string, string>>, use: (example: RunningExample) => Promise<void>,
): Promise<void> {
  let source = /```ts\n([^]*?)```/.exec(await readFile(readme, "utf8"))?.[1];
  if (source === undefined) throw new Error(`${readme.href} has no example`);
  for (const [text, other] of Object.entries(replaced)) {
    if (!source.includes(text)) throw new Error(`the example of ${readme.href} does not say '${text}'`);
    source = source.replaceAll(text, () => other);
  }
  const child = spawn(process.execPath, ["--conditions=@proxy/source", "--input-type=module-typescript", "--eval", source], {
    cwd: fileURLToPath(new URL(".", readme)),
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit") as Promise<[number | null, NodeJS.Signals | null]>;
  // Heard from the start, so that what it says is never left in the pipe.
  const first = once(child.stdout, "data") as Promise<[Buffer]>;
  const ended = exited.then(([code, signal]) => {
    throw new Error(`the example ended with ${code ?? signal}`);
  });
  ended.catch(() => undefined);
  try {
    await use({ child, exited, output: async () => (await Promise.race([first, ended]))[0].toString() });
  } finally {
    child.kill("SIGKILL");
    await exited;
  }
}
