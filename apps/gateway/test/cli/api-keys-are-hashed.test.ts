import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { hashKey } from "../../src/cli/hash-key.ts";
import { parseInvocation, UsageError } from "../../src/cli/invocation.ts";

async function run(args: readonly string[], input = ""): Promise<{ code: number; out: string; error: string }> {
  const written = { out: "", error: "" };
  const invocation = parseInvocation(["hash-key", ...args]);
  if (invocation.command !== "hash-key") throw new Error(invocation.command);
  async function* given(): AsyncGenerator<string> {
    yield input;
  }
  const code = await hashKey(invocation, given(), { out: (text) => (written.out += text), error: (text) => (written.error += text) });
  return { code, ...written };
}

const hash = (key: string): string => createHash("sha256").update(key).digest("hex");

describe("gateway hash-key", () => {
  it("makes another key each time, with its hash", async () => {
    const { code, out } = await run([]);
    const [, key = "", shown] = /^key {3}(key_[\w-]{43})\nhash {2}([0-9a-f]{64})\n$/.exec(out) ?? [];
    expect([code, shown]).toEqual([0, hash(key)]);
    expect((await run([])).out).not.toBe(out);
  });

  it("hashes a key of one's own without the line break behind it", async () => {
    const key = "wh_5f1c0c1e7a9d4b7c8e2a6d3b";
    for (const end of ["", "\n", "\r\n"]) expect(await run(["--stdin"], key + end)).toEqual({ code: 0, out: `hash  ${hash(key)}\n`, error: "" });
  });

  it("refuses keys that can be guessed, and those on the command line", async () => {
    for (const key of ["short", "", "with blanks and more characters", "ümlaute-sind-keine-guten-schlüssel"]) expect((await run(["--stdin"], key)).code).toBe(2);
    expect(() => parseInvocation(["hash-key", "secret"])).toThrow(UsageError);
  });
});
