import { renameSync, utimesSync, writeFileSync } from "node:fs";
import { vi } from "vitest";

/** Replaces a file that is watched, and waits until that was noticed: also by a watcher that was just about to look for the first time. */
export async function replaceFile(path: string, content: string | Uint8Array, isNoticed: () => boolean): Promise<void> {
  writeFileSync(`${path}.new`, content);
  renameSync(`${path}.new`, path);
  let later = Date.now();
  await vi.waitUntil(
    () => {
      if (isNoticed()) return true;
      later += 2000;
      utimesSync(path, later / 1000, later / 1000);
      return false;
    },
    { timeout: 30_000, interval: 400 },
  );
}
