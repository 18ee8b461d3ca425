import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));

/** Why the double cannot be built here; undefined when it can. */
export const doubleMissing: string | undefined =
  process.platform !== "linux" || process.arch !== "x64"
    ? `the double is for Linux x64, not ${process.platform} ${process.arch}`
    : spawnSync("gcc", ["--version"]).status === 0
      ? undefined
      : "gcc is not installed";

/**
 * The path of the double as a shared object, built when its sources have changed since the last time. With `sanitize` it has
 * AddressSanitizer in it: the process that loads it needs `sanitizedEnvironment()`.
 */
export function buildDouble({ sanitize = false }: { readonly sanitize?: boolean | undefined } = {}): string {
  // nodelete: the addon unloads its libraries when the process ends, and threads of the double would go on in code that is gone.
  const common = ["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-O1", "-g", "-fPIC", "-shared", "-fvisibility=hidden", "-pthread", "-Wl,-z,nodelete"];
  const sources = readdirSync(here).filter((name) => name.endsWith(".c"));
  const options = sanitize ? ["-fsanitize=address", "-fno-omit-frame-pointer"] : [];
  const hash = createHash("sha256").update([...common, ...options].join(" "));
  for (const name of readdirSync(here).filter((file) => /\.[ch]$/.test(file)).toSorted()) hash.update(readFileSync(join(here, name)));
  const directory = join(tmpdir(), `httpsys-double-${userInfo().uid}`);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, `httpsys-${hash.digest("hex").slice(0, 16)}.so`);
  if (existsSync(path)) return path;
  const fresh = `${path}.${process.pid}`;
  execFileSync("gcc", [...common, ...options, "-o", fresh, ...sources], { cwd: here });
  renameSync(fresh, path);
  return path;
}

/**
 * The environment of a process that loads a double with `sanitize`: errors are told at once and leaks at the end, on standard error, and
 * either makes the exit code 99.
 */
export function sanitizedEnvironment(): Readonly<Record<string, string>> {
  return {
    LD_PRELOAD: execFileSync("gcc", ["-print-file-name=libasan.so"], { encoding: "utf8" }).trim(),
    ASAN_OPTIONS: "detect_leaks=1:exitcode=99:halt_on_error=0:malloc_context_size=12",
    LSAN_OPTIONS: `suppressions=${join(here, "leaks-of-node.supp")}:print_suppressions=0`,
  };
}
