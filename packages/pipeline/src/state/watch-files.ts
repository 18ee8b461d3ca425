import { unwatchFile, watchFile } from "node:fs";

/**
 * Calls `changed` once after any of `files` changed, looking every `interval` milliseconds (default 1000): a look sees every way to
 * replace a file, renames and swapped links of mounted secrets included. Does not hold the process open. Returns what ends it.
 */
export function watchFiles(files: readonly string[], interval = 1000, changed: () => void): () => void {
  let pending: NodeJS.Immediate | undefined;
  const seen = (): void => {
    // Certificate and key change together: one reading for both.
    pending ??= setImmediate(() => {
      pending = undefined;
      changed();
    });
  };
  for (const file of files) watchFile(file, { interval, persistent: false }, seen);
  return () => {
    for (const file of files) unwatchFile(file, seen);
    if (pending !== undefined) clearImmediate(pending);
    pending = undefined;
  };
}
