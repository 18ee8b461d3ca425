/**
 * Watching a file so that it is never lost: what is watched are the directories in which its name, and each symbolic link on the
 * way to it, stands. So a rename over the file, a swapped link (Kubernetes' `..data`), a deletion and a return are all seen.
 */
import type { FSWatcher } from "node:fs";
import { watch } from "node:fs";
import { lstat, readlink, stat } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, parse, resolve, sep } from "node:path";

const maxLinks = 40;

/** Directories whose entries decide what `path` is. Where a part is missing, the last directory that exists. */
export async function directoriesToWatch(path: string): Promise<readonly string[]> {
  const directories = new Set<string>();
  let links = 0;
  const { root } = parse(resolve(path));
  let current = root;
  const pending = resolve(path).slice(root.length).split(sep).filter((part) => part !== "");
  while (pending.length > 0) {
    const part = pending.shift() ?? "";
    const next = join(current, part);
    const target = await linkTarget(next);
    if (target === "missing" || (target === undefined && pending.length === 0)) {
      directories.add(current);
      break;
    }
    if (target === undefined) {
      current = next;
      continue;
    }
    directories.add(current);
    links += 1;
    if (links > maxLinks) break;
    const absolute = isAbsolute(target) ? target : resolve(current, target);
    const base = parse(absolute).root;
    pending.unshift(...absolute.slice(base.length).split(sep).filter((rest) => rest !== ""));
    current = base;
  }
  if (directories.size === 0) directories.add(dirname(resolve(path)));
  return [...directories];
}

/** Where a link leads, undefined for what is no link. */
async function linkTarget(path: string): Promise<string | undefined> {
  try {
    return (await lstat(path)).isSymbolicLink() ? await readlink(path) : undefined;
  } catch {
    return "missing";
  }
}

/** Which directory has a name now: one that was removed and made again keeps its name, often its inode, but not its watch. */
export async function identity(directory: string): Promise<string> {
  try {
    const { dev, ino, birthtimeNs } = await stat(directory, { bigint: true });
    return `${dev} ${ino} ${birthtimeNs}`;
  } catch {
    return "missing";
  }
}

/** Watches a changing set of directories; `onEvent` hears of anything in them. */
export class DirectoryWatcher {
  readonly #watches = new Map<string, { readonly identity: string; readonly watcher: FSWatcher }>();
  readonly #onEvent: () => void;
  #closed = false;

  constructor(onEvent: () => void) {
    this.#onEvent = onEvent;
  }

  /** Begins and ends watching so that exactly these are watched. What cannot be watched is left to the caller's polling. */
  set(directories: ReadonlyMap<string, string>): void {
    if (this.#closed) return;
    for (const [directory, { identity }] of this.#watches) {
      if (directories.get(directory) !== identity) this.#drop(directory);
    }
    for (const [directory, identity] of directories) {
      if (!this.#watches.has(directory)) this.#begin(directory, identity);
    }
  }

  close(): void {
    this.#closed = true;
    for (const directory of this.#watches.keys()) this.#drop(directory);
  }

  #begin(directory: string, identity: string): void {
    try {
      const watcher = watch(directory, { persistent: false }, (event, name) => {
        // The directory itself moved or went away, and the watch with it, whatever has its name and inode now.
        if (event === "rename" && name === basename(directory)) this.#drop(directory);
        this.#onEvent();
      });
      watcher.on("error", () => {
        this.#drop(directory);
        this.#onEvent();
      });
      this.#watches.set(directory, { identity, watcher });
    } catch {
      // Gone in between, or out of watches: polling sees it.
    }
  }

  #drop(directory: string): void {
    this.#watches.get(directory)?.watcher.close();
    this.#watches.delete(directory);
  }
}
