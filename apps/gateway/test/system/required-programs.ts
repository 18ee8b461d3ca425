import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { test } from "vitest";

const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];

/** Where a program is; undefined when this machine lacks it. */
export function findProgram(name: string): string | undefined {
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

/**
 * `test` for something that needs `programs`. Without them it is skipped and its title says what is missing; in CI
 * nothing is skipped, it fails.
 */
export function testWith(
  programs: readonly string[],
  title: string,
  run: (paths: Readonly<Record<string, string>>) => Promise<void>,
): void {
  const found = programs.map((name) => [name, findProgram(name)] as const);
  const missing = found.filter(([, path]) => path === undefined).map(([name]) => name);
  if (missing.length === 0) {
    test(title, () => run(Object.fromEntries(found) as Record<string, string>));
    return;
  }
  const named = `${title} (missing here: ${missing.join(", ")})`;
  if (process.env["CI"] === "true") {
    test(named, () => {
      throw new Error(`install ${missing.join(", ")}: in CI no test is skipped`);
    });
  } else {
    test.skip(named, () => {});
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
