import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openText, sealText } from "../../src/session/sealed-text.ts";
import { readSecrets, sessionKeys, type SessionKeys } from "../../src/session/session-keys.ts";

const secret = (name: string): string => name.padEnd(32, ".");
let folder: string;
let path: string;
const open: SessionKeys[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "edge-keys-"));
  path = join(folder, "keys");
});
afterEach(() => {
  for (const each of open.splice(0)) each.close();
  rmSync(folder, { recursive: true });
});

function write(...lines: readonly string[]): void {
  writeFileSync(path, lines.join("\n"));
}

function keysOf(config: Parameters<typeof sessionKeys>[0]): SessionKeys {
  const keys = sessionKeys(config, () => {});
  open.push(keys);
  return keys;
}

describe("secrets of sessions", () => {
  it("are the lines of the file, and then those beside it", () => {
    write("\uFEFF# comment", "", `  ${secret("a")}  `, secret("b"));
    expect(readSecrets({ path, secrets: [secret("c")] })).toEqual([secret("a"), secret("b"), secret("c")]);
    expect(readSecrets({})).toBeUndefined();
  });

  it("that cannot be used are told, and what they are is not", () => {
    for (const [lines, fault] of [[[], "has no secret"], [[secret("a"), "short-one"], "secret 2 is shorter than 32 bytes"], [[secret("a"), secret("a")], "stands twice"], [["x".repeat(70_000)], "more than 65536 bytes"]] as const) {
      write(...lines);
      expect(() => readSecrets({ path })).toThrow(fault);
      expect(() => readSecrets({ path })).not.toThrow(/short-one|a\.\.\./);
    }
    expect(() => readSecrets({ path: join(folder, "none") })).toThrow("ENOENT");
  });

  it("of sessions open nothing of sign-ins", () => {
    const keys = keysOf({ secrets: [secret("a")] });
    expect(openText(keys.correlation, "p", sealText(keys.session, "p", "x"))).toBeUndefined();
  });

  it("that nobody configured are the same for all schemes of the process, also after a reload", () => {
    expect(openText(keysOf({}).session, "p", sealText(keysOf({}).session, "p", "x"))).toBe("x");
  });
});
