import { open, stat } from "node:fs/promises";
import { extname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { ConfigIssue } from "../config-issue.ts";
import { ConfigError } from "../config-issue.ts";
import type { ConfigSource } from "./config-node.ts";
import { maxBytes } from "./config-node.ts";
import { mergeSources } from "./merge-sources.ts";
import { sourceOfValue } from "./node-of-value.ts";
import { parseSource } from "./parse-source.ts";
import { fatal } from "./read-text.ts";
import { positionIn } from "./source-position.ts";

const formats = new Map<string, "json" | "yaml" | "module">([
  [".json", "json"],
  [".jsonc", "json"],
  [".yaml", "yaml"],
  [".yml", "yaml"],
  [".ts", "module"],
  [".mts", "module"],
  [".js", "module"],
  [".mjs", "module"],
]);

/** Milliseconds. */
const moduleTime = 10_000;

let imports = 0;

/**
 * The tree of a file: JSON (.json, .jsonc, and any unknown ending), YAML (.yaml, .yml), or a module with a default export (.ts,
 * .mts, .js, .mjs). A module is imported anew each time; what it imports itself is not. It has ten seconds. Rejects with
 * `ConfigError`.
 */
export async function readSourceFile(path: string): Promise<ConfigSource> {
  const format = formats.get(extname(path).toLowerCase()) ?? "json";
  const source = format === "module" ? await importModule(path) : parseSource(await readUnchanging(path), path, format);
  if (source.root.kind === "object") return source;
  throw fatal(path, "root-not-object", "the file must hold an object", {
    ...positionIn(source, source.root.origin),
    hint: "write { \"ReverseProxy\": { … } }",
  });
}

export interface SourceFiles {
  /** What could be read, the later files over the earlier ones. */
  readonly source: ConfigSource;
  /** What is wrong with files that could not be read or parsed. */
  readonly unreadable: readonly ConfigIssue[];
}

/** Several files as one source; those that cannot be read do not keep the others from being checked. */
export async function readSourceFiles(paths: readonly string[]): Promise<SourceFiles> {
  const sources: ConfigSource[] = [];
  const unreadable: ConfigIssue[] = [];
  const results = await Promise.allSettled(paths.map(readSourceFile));
  for (const result of results) {
    if (result.status === "fulfilled") sources.push(result.value);
    else if (result.reason instanceof ConfigError) unreadable.push(...result.reason.issues);
    else throw result.reason;
  }
  return { source: mergeSources(sources), unreadable };
}

/** What changes while it is read is read again: a file may be written in place. */
async function readUnchanging(path: string): Promise<Uint8Array> {
  for (let attempt = 1; ; attempt++) {
    const before = await fingerprint(path);
    const bytes = await readBounded(path);
    if (attempt === 3 || before === (await fingerprint(path))) return bytes;
  }
}

async function readBounded(path: string): Promise<Uint8Array> {
  try {
    // Before opening, which waits at a pipe; a device has no end.
    const kind = await stat(path);
    if (!kind.isFile()) throw fatal(path, "file-unreadable", `the file cannot be read: it is ${kind.isDirectory() ? "a directory" : "no regular file"}`);
    await using file = await open(path, "r");
    const { size } = await file.stat();
    if (size > maxBytes) throw fatal(path, "file-too-large", `the file has ${size} bytes, more than 16 MiB`);
    return await file.readFile();
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    const reason = code === "ENOENT" ? "there is no such file" : (error as Error).message;
    throw fatal(path, "file-unreadable", `the file cannot be read: ${reason}`);
  }
}

async function importModule(path: string): Promise<ConfigSource> {
  imports += 1;
  const url = pathToFileURL(resolve(path));
  url.searchParams.set("load", String(imports));
  let exported: unknown;
  try {
    exported = await inTime(import(/* @vite-ignore */ url.href).then((module: { readonly default?: unknown }) => module.default));
  } catch (error) {
    if (error instanceof ConfigError) throw withSource(error, path);
    throw fatal(path, "module-failed", `the module cannot be loaded: ${error instanceof Error ? error.message : String(error)}`);
  }
  return sourceOfValue(exported, path);
}

/** A module that never settles must not hold up every later load. */
async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it took longer than ${moduleTime / 1000} s`)), moduleTime);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function withSource(error: ConfigError, source: string): ConfigError {
  return new ConfigError(error.message, error.issues.map((issue) => ({ ...issue, source: issue.source ?? source })), { cause: error });
}

/** Changes whenever the file does: its identity, size and times; `missing` when there is none. */
export async function fingerprint(path: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
  } catch {
    return "missing";
  }
}
