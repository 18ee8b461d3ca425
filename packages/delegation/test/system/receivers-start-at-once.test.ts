import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { linkSync, readdirSync, renameSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { privateDirectory } from "../delegating-gateway.ts";
import { stop } from "./support.ts";

let directory: Awaited<ReturnType<typeof privateDirectory>>;
const children: ChildProcess[] = [];

beforeEach(async () => {
  directory = await privateDirectory();
});

afterEach(async () => {
  for (const child of children.splice(0)) await stop(child);
  await directory.remove();
});

async function start(path: string): Promise<ChildProcess> {
  const child = fork(new URL("claiming-process.ts", import.meta.url), [path], { execArgv: ["--conditions=@proxy/source"] });
  children.push(child);
  await once(child, "message");
  return child;
}

async function ask(child: ChildProcess, what: "open" | "close"): Promise<string> {
  const answer = once(child, "message");
  child.send(what);
  return String((await answer)[0]);
}

async function expectListener(path: string): Promise<void> {
  const probe = connect(path);
  await once(probe, "connect");
  probe.destroy();
}

const rounds = 100;

test(`of two processes that start at once on a stale socket one listens, and keeps its socket, ${rounds} times`, async () => {
  const path = join(directory.path, "target.sock");
  const both = [await start(path), await start(path)];
  const stale = createServer().listen(`${path}.first`);
  await once(stale, "listening");
  linkSync(`${path}.first`, path);
  stale.close();
  await once(stale, "close");
  for (let round = 0; round < rounds; round++) {
    const answers = await Promise.all(both.map((child) => ask(child, "open")));
    expect(answers.toSorted()).toEqual([expect.stringContaining(`another process listens at '${path}'`), "listens"]);
    await expectListener(path);
    // Its socket stays for the next round as that of a process that was killed.
    linkSync(path, `${path}.kept`);
    await Promise.all(both.map((child) => ask(child, "close")));
    renameSync(`${path}.kept`, path);
  }
  expect(readdirSync(directory.path)).toEqual(["target.sock"]);
});

test("the lock of a process that was killed is free at once, and its socket is taken over", async () => {
  const path = join(directory.path, "target.sock");
  const [first, second] = [await start(path), await start(path)];
  expect(await ask(first, "open")).toBe("listens");
  expect(await ask(second, "open")).toContain("another process listens");
  await stop(first);
  expect(readdirSync(directory.path)).toEqual(["target.sock", "target.sock.lock"]);
  expect(await ask(second, "open")).toBe("listens");
  await expectListener(path);
});
