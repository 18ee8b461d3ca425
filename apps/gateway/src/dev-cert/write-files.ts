import { chmod, rename, rm, writeFile } from "node:fs/promises";

export interface NewFile {
  readonly path: string;
  readonly text: string;
  /** Permissions, whatever the process's mask and a file before had. */
  readonly mode: number;
}

/** A file stands there already and was not to be replaced. */
export class FileExistsError extends Error {
  override readonly name = "FileExistsError";
  readonly path: string;

  constructor(path: string) {
    super(`${path} exists; it is replaced with --force only`);
    this.path = path;
  }
}

/**
 * Writes all of `files` or, when one cannot be written or stands there already, none. With `force` those that stand there are
 * replaced, each in one step; a link is replaced, not followed. Rejects with `FileExistsError` or the system's error.
 */
export async function writeFiles(files: readonly NewFile[], force: boolean): Promise<void> {
  const written: string[] = [];
  try {
    for (const { path, text, mode } of files) {
      const name = force ? `${path}.${process.pid}.new` : path;
      await writeFile(name, text, { flag: "wx", mode: 0o600 });
      written.push(name);
      await chmod(name, mode);
    }
  } catch (error) {
    await Promise.all(written.map((name) => rm(name, { force: true })));
    const { code, path } = error as NodeJS.ErrnoException;
    throw code === "EEXIST" && !force ? new FileExistsError(path ?? "") : error;
  }
  if (force) for (const { path } of files) await rename(`${path}.${process.pid}.new`, path);
}
