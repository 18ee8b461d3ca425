/** Files that answers are made of: read once, when configuration is compiled. */
import { readFileSync, statSync } from "node:fs";
import { extname } from "node:path";

const contentTypes: ReadonlyMap<string, string> = new Map([
  ["css", "text/css; charset=utf-8"],
  ["htm", "text/html; charset=utf-8"],
  ["html", "text/html; charset=utf-8"],
  ["js", "text/javascript; charset=utf-8"],
  ["json", "application/json"],
  ["svg", "image/svg+xml"],
  ["txt", "text/plain; charset=utf-8"],
  ["xml", "application/xml"],
]);
const largestBodyFile = 16 * 1024 * 1024;

/** What stands in `file`, at most 16 MiB; otherwise undefined, and `report` hears why. */
export function readBodyFile(file: string, report: (message: string) => void): Uint8Array | undefined {
  try {
    const found = statSync(file);
    // Before opening: a pipe keeps waiting, a device has no end.
    if (!found.isFile()) report(`'${file}' is no regular file`);
    else if (found.size <= largestBodyFile) return readFileSync(file);
    else report(`file '${file}' is larger than ${largestBodyFile} bytes`);
  } catch (error) {
    report(`file '${file}' cannot be read: ${error instanceof Error && "code" in error ? String(error.code) : "unknown fault"}`);
  }
  return undefined;
}

/** The Content-Type that the extension of `file` stands for; of a text that is in no file, plain text. */
export function contentTypeOf(file: string | undefined): string {
  if (!file) return "text/plain; charset=utf-8";
  return contentTypes.get(extname(file).slice(1).toLowerCase()) ?? "application/octet-stream";
}
