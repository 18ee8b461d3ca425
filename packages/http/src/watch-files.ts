import { unwatchFile, watchFile } from "node:fs";

/** Milliseconds between two looks at a watched file. */
export const defaultWatchInterval = 1000;

/**
 * Calls `changed` when one of `files` became another, once for those that change together, as a certificate and its key do; looks
 * every `interval` milliseconds. A look by name sees every way to replace a file, renames and swapped links of mounted secrets
 * included. Does not keep the process alive. Gives how to stop.
 */
export function watchFiles(files: readonly string[], changed: () => void, interval: number = defaultWatchInterval): () => void {
  let pending: NodeJS.Immediate | undefined;
  const told = (): void => {
    pending ??= setImmediate(() => {
      pending = undefined;
      changed();
    });
  };
  for (const file of files) watchFile(file, { interval, persistent: false }, told);
  return () => {
    if (pending !== undefined) clearImmediate(pending);
    for (const file of files) unwatchFile(file, told);
  };
}
