import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const double = fileURLToPath(new URL("../../../../tooling/httpsys-double/", import.meta.url));
const compiler = "x86_64-w64-mingw32-gcc";
const hasMingw = spawnSync(compiler, ["--version"]).status === 0;
const hasGcc = spawnSync("gcc", ["--version"]).status === 0;

interface Table {
  structs: Record<string, { size: number; union?: boolean; checkedAgainst: string; fields: { name: string; offset: number }[] }>;
}
const { structs } = JSON.parse(readFileSync(join(double, "httpsys-abi.json"), "utf8")) as Table;

/** What the compiler is to hold true of its own header. */
function assertions(only: (checkedAgainst: string) => boolean): string[] {
  const lines: string[] = [];
  for (const [name, { size, union, fields, checkedAgainst }] of Object.entries(structs)) {
    if (!only(checkedAgainst)) continue;
    lines.push(`_Static_assert(sizeof(${name}) == ${size}, "size of ${name}");`);
    if (union === true) continue;
    // A bit-field in the real header: it has no offset.
    if (name === "HTTP_PROPERTY_FLAGS") continue;
    for (const field of fields) lines.push(`_Static_assert(offsetof(${name}, ${field.name}) == ${field.offset}, "${name}.${field.name}");`);
  }
  return lines;
}

function compile(command: string, include: string, lines: readonly string[]): void {
  const folder = mkdtempSync(join(tmpdir(), "httpsys-layout-"));
  try {
    writeFileSync(join(folder, "layout.c"), [include, "#include <stddef.h>", ...lines, ""].join("\n"));
    execFileSync(command, ["-fsyntax-only", `-I${double}`, "layout.c"], { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("the layout of the structures", () => {
  test.skipIf(!hasGcc)(`is that of the double's header ${hasGcc ? "" : "(left out: gcc is not installed)"}`, () => {
    const lines = assertions(() => true);
    expect(lines.length).toBeGreaterThan(200);
    compile("gcc", '#include "httpsys.h"', lines);
  });

  test.skipIf(!hasMingw)(`is that of mingw's http.h ${hasMingw ? "" : "(left out: mingw-w64 is not installed)"}`, () => {
    const lines = assertions((checkedAgainst) => checkedAgainst.startsWith("mingw"));
    expect(lines.length).toBeGreaterThan(100);
    compile(compiler, "#define _WIN32_WINNT 0x0A00\n#include <winsock2.h>\n#include <windows.h>\n#include <http.h>", lines);
  });
});
