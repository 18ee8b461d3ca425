import { mkdir, lstat } from "node:fs/promises";
import { dirname } from "node:path";
import { DelegationError } from "../errors.ts";

/** Most bytes of a path that a Unix-domain address holds on Linux and on macOS, with its end. */
const maximumPath = 103;

/** Whether a path can name a socket; what is wrong with it otherwise. */
export function socketPathFault(path: string): string | undefined {
  if (!path.startsWith("/")) return "is not absolute";
  if (path.includes("\0")) return "holds a NUL";
  if (Buffer.byteLength(path) > maximumPath) return `is longer than ${maximumPath} bytes`;
  return undefined;
}

/**
 * Checks that only this user reaches what lies in the directory of `path` (mode 0700, ours): whoever reaches the socket gets
 * connections of clients, or can pass others off as such. Rejects with `DelegationError`.
 */
export async function checkSocketDirectory(path: string, create: "create" | "must-exist"): Promise<void> {
  const fault = socketPathFault(path);
  if (fault !== undefined) throw new DelegationError("REFUSED", `the socket path '${path}' ${fault}`);
  const directory = dirname(path);
  if (create === "create") await mkdir(directory, { mode: 0o700 }).catch(() => undefined);
  const stats = await lstat(directory).catch((cause: unknown) => {
    throw new DelegationError("NOT_FOUND", `there is no directory '${directory}'`, { cause });
  });
  if (!stats.isDirectory()) throw new DelegationError("REFUSED", `'${directory}' is no directory`);
  if (stats.uid !== process.geteuid?.()) throw new DelegationError("REFUSED", `the directory '${directory}' belongs to another user`);
  if ((stats.mode & 0o077) !== 0) {
    throw new DelegationError("REFUSED", `others than its owner reach into '${directory}': give it mode 0700`);
  }
}
