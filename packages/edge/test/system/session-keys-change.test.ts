/** The file with the secrets of sessions, which is looked at each second. */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { openText, sealText } from "../../src/session/sealed-text.ts";
import { sessionKeys } from "../../src/session/session-keys.ts";

const secret = (name: string): string => name.padEnd(32, ".");

it("secrets change while sessions go on, and stay when the file is spoilt", async () => {
  const folder = mkdtempSync(join(tmpdir(), "edge-keys-"));
  const path = join(folder, "keys");
  const write = (...lines: readonly string[]): void => {
    writeFileSync(`${path}.new`, lines.join("\n"));
    renameSync(`${path}.new`, path);
  };
  // Written again each time: the first look may come after the first change.
  const until = (lines: readonly string[], check: () => void): Promise<void> =>
    vi.waitFor(
      () => {
        write(...lines);
        check();
      },
      { timeout: 60_000, interval: 200 },
    );
  write(secret("a"));
  const faults: Error[] = [];
  const keys = sessionKeys({ path }, (error) => faults.push(error));
  const next = sessionKeys({ secrets: [secret("b")] }, () => {});
  try {
    const before = sealText(keys.session, "p", "before");
    await until([secret("b"), secret("a")], () => expect(openText(next.session, "p", sealText(keys.session, "p", "x"))).toBe("x"));
    expect(openText(keys.session, "p", before)).toBe("before");
    await until(["short"], () => expect(faults.length).toBeGreaterThan(0));
    expect(openText(keys.session, "p", before)).toBe("before");
    await until([secret("b")], () => expect(openText(keys.session, "p", before)).toBeUndefined());
  } finally {
    keys.close();
    rmSync(folder, { recursive: true });
  }
});
