import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

import { functions, furtherFunctions, systemFunctions } from "../../src/abi/functions.ts";

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

const http = readHeader("http.h");
/** As they stand in windows.h; that they do is what the assignments below let the compiler say. */
const windows: Readonly<Record<string, readonly [result: string, ...parameters: string[]]>> = {
  CreateIoCompletionPort: ["HANDLE", "HANDLE", "HANDLE", "ULONG_PTR", "DWORD"],
  SetFileCompletionNotificationModes: ["WINBOOL", "HANDLE", "UCHAR"],
  PostQueuedCompletionStatus: ["WINBOOL", "HANDLE", "DWORD", "ULONG_PTR", "LPOVERLAPPED"],
  GetQueuedCompletionStatusEx: ["WINBOOL", "HANDLE", "LPOVERLAPPED_ENTRY", "ULONG", "PULONG", "DWORD", "WINBOOL"],
  CancelIoEx: ["WINBOOL", "HANDLE", "LPOVERLAPPED"],
  CloseHandle: ["WINBOOL", "HANDLE"],
  RtlNtStatusToDosError: ["ULONG", "NTSTATUS"],
};

/** Functions that mingw-w64 10 does not declare: their prototypes are the table's word alone. */
const undeclared = ["HttpWaitForDisconnectEx", "HttpIsFeatureSupported", "HttpDelegateRequestEx", "HttpFindUrlGroupId", "HttpSetRequestProperty", "HttpQueryRequestProperty"];

/** Parameter types of each function that the header declares. */
function readHeader(name: string): ReadonlyMap<string, readonly string[]> {
  let text: string;
  try {
    text = readFileSync(`/usr/x86_64-w64-mingw32/include/${name}`, "utf8");
  } catch {
    return new Map();
  }
  return new Map(
    [...text.matchAll(/ULONG WINAPI (Http\w+)\(([^)]*)\)/g)].map(([, called, parameters]) => [
      called as string,
      (parameters as string).split(",").map((parameter) => parameter.trim().replace(/\s*\w+$/, "")),
    ]),
  );
}

/** GCC's classes of types: integers and enumerations, pointers, structures. */
const sizes: Readonly<Record<string, readonly [size: number, isPointer: boolean]>> = {
  u8: [1, false], u16: [2, false], u32: [4, false], i32: [4, false], u64: [8, false], ptr: [8, true],
};

/** That the header has this prototype, and that every type is one that is passed as ours is. */
function prototype(name: string, result: string, types: readonly string[], ours: readonly string[], ourResult: string): string[] {
  const check = (type: string, abi: string, what: string): string[] => {
    const [size, isPointer] = sizes[abi] as readonly [number, boolean];
    const pointer = isPointer ? [`_Static_assert(__builtin_classify_type(*(${type} *)0) == 5, "${what} is no pointer");`] : [];
    return [`_Static_assert(sizeof(${type}) == ${size}, "size of ${what}");`, ...pointer];
  };
  return [
    `${result} (WINAPI *check_${name})(${types.join(", ")}) = ${name};`,
    `_Static_assert(${types.length} == ${ours.length}, "parameters of ${name}");`,
    ...check(result, ourResult, `what ${name} returns`),
    ...types.flatMap((type, i) => check(type, ours[i] as string, `parameter ${i} of ${name}`)),
  ];
}

function compile(command: string, include: string, lines: readonly string[]): void {
  const folder = mkdtempSync(join(tmpdir(), "httpsys-layout-"));
  try {
    writeFileSync(join(folder, "layout.c"), [include, "#include <stddef.h>", ...lines, ""].join("\n"));
    execFileSync(command, ["-fsyntax-only", "-Werror", `-I${double}`, "layout.c"], { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("the layout of the structures", () => {
  test.skipIf(!hasGcc)(`is that of the double's header ${hasGcc ? "" : "(left out: gcc is not installed)"}`, () => {
    const lines = assertions(() => true);
    expect(lines.length).toBeGreaterThan(200);
    compile("gcc", '#include "structures.h"', lines);
  });

  test.skipIf(!hasMingw)(`is that of mingw's http.h ${hasMingw ? "" : "(left out: mingw-w64 is not installed)"}`, () => {
    const lines = assertions((checkedAgainst) => checkedAgainst.startsWith("mingw"));
    expect(lines.length).toBeGreaterThan(100);
    compile(compiler, "#define _WIN32_WINNT 0x0A00\n#include <winsock2.h>\n#include <windows.h>\n#include <http.h>", lines);
  });
});

test.skipIf(!hasMingw)(`the prototypes are those of mingw's headers, but for ${undeclared.length} functions that they do not declare ${hasMingw ? "" : "(left out: mingw-w64 is not installed)"}`, () => {
  const all: Readonly<Record<string, readonly string[]>> = { ...functions, ...furtherFunctions };
  expect(Object.keys(all).filter((name) => !http.has(name))).toEqual(undeclared);
  const lines = Object.entries(all).flatMap(([name, ours]) => (http.has(name) ? prototype(name, "ULONG", http.get(name) ?? [], ours, "u32") : []));
  for (const [name, [ourResult, ...ours]] of Object.entries(systemFunctions)) {
    const [result, ...types] = windows[name] as readonly [string, ...string[]];
    lines.push(...prototype(name, result, types, ours, ourResult));
  }
  expect(lines.length).toBeGreaterThan(250);
  compile(compiler, "#define _WIN32_WINNT 0x0A00\n#include <winsock2.h>\n#include <windows.h>\n#include <winternl.h>\n#include <http.h>", lines);
  expect(() => compile(compiler, "#include <windows.h>\n#include <http.h>", prototype("HttpCloseUrlGroup", "ULONG", ["ULONG"], ["u32"], "u32"))).toThrow();
});
