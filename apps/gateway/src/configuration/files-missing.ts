import { access, constants } from "node:fs/promises";

/** Files that the command line names and that cannot be read: a wrong command line, not a wrong configuration. */
export class FilesMissingError extends Error {
  override readonly name = "FilesMissingError";
  readonly files: readonly string[];

  constructor(files: readonly string[]) {
    super(files.map((file) => `there is no readable file ${file}`).join("\n"));
    this.files = files;
  }
}

/** Rejects with `FilesMissingError`, which names all that are missing. */
export async function requireFiles(files: readonly string[]): Promise<void> {
  const readable = await Promise.all(
    files.map((file) =>
      access(file, constants.R_OK).then(
        () => true,
        () => false,
      ),
    ),
  );
  const missing = files.filter((_, index) => readable[index] === false);
  if (missing.length > 0) throw new FilesMissingError(missing);
}
