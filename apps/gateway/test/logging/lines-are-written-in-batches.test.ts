import { mkdtemp, readFile, rename, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { LineWriter } from "../../src/access-log/line-writer.ts";

let folder: string;
let faults: string[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "gateway-lines-"));
  faults = [];
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const onFault = (message: string): void => {
  faults.push(message);
};

describe("the writer of log lines", () => {
  test("lines reach the file in order, none lost at the end", async () => {
    const file = join(folder, "access.log");
    const writer = await LineWriter.open({ file, onFault });
    const lines = Array.from({ length: 5000 }, (_, i) => `line ${i} ${"x".repeat(40)}\n`);
    for (const line of lines) writer.add(line);
    await writer.close();
    expect(await readFile(file, "latin1")).toBe(lines.join(""));
    expect((await stat(file)).mode & 0o777).toBe(0o640);
    expect(faults).toEqual([]);
  });

  test("after a rotation lines go to the new file", async () => {
    const file = join(folder, "access.log");
    const writer = await LineWriter.open({ file, onFault, delay: 60_000 });
    writer.add("before\n");
    await rename(file, `${file}.1`);
    writer.reopen();
    writer.add("after\n");
    await writer.close();
    const old = await readFile(`${file}.1`, "latin1");
    expect(old + (await readFile(file, "latin1"))).toBe("before\nafter\n");
    expect(await readFile(file, "latin1")).toContain("after");
  });

  test("beyond the bound lines are dropped, and that is said", async () => {
    const file = join(folder, "access.log");
    const writer = await LineWriter.open({ file, onFault, maxPending: 20, delay: 60_000 });
    for (let i = 0; i < 10; i++) writer.add("12345678\n");
    await writer.close();
    expect(await readFile(file, "latin1")).toBe("12345678\n12345678\n");
    expect(faults).toEqual(["8 lines of the access log were dropped, the file is too slow"]);
  });

  test("a file that cannot be opened is an error at once", async () => {
    await expect(LineWriter.open({ file: join(folder, "no", "such", "log"), onFault })).rejects.toThrow("ENOENT");
  });
});
