import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { Agent, request as httpRequest } from "node:http";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test } from "vitest";
// @boundaries-ignore the double of the HTTP Server API
import { buildDouble } from "../../../../tooling/httpsys-double/build.ts";
import { freePort, missing } from "../double.ts";

describe.skipIf(missing !== undefined)(missing ?? "two servers of two processes on one queue, through the double", () => {
  const children: ChildProcess[] = [];
  afterEach(async () => {
    for (const child of children.splice(0)) await end(child);
  });

  async function end(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  }

  async function start(name: string, port: number): Promise<ChildProcess> {
    const child = fork(fileURLToPath(new URL("shared-queue-process.ts", import.meta.url)), [buildDouble(), name, String(port)], { execArgv: process.execArgv.length > 0 ? process.execArgv : ["--conditions=@proxy/source"] });
    children.push(child);
    await once(child, "message");
    return child;
  }

  async function served(child: ChildProcess): Promise<number> {
    child.send("report");
    const [report] = (await once(child, "message")) as [{ served: number }];
    return report.served;
  }

  /** Who answered, and how often it had; undefined when nobody did. */
  function get(port: number, agent?: Agent): Promise<{ pid: number; number: number } | undefined> {
    return new Promise((resolve) => {
      const request = httpRequest({ host: "127.0.0.1", port, agent: agent ?? false, headers: { host: `localhost:${port}` } }, (response) => {
        let text = "";
        response.setEncoding("latin1").on("data", (chunk: string) => void (text += chunk));
        response.on("end", () => {
          const [pid, number] = text.split(" ").map(Number) as [number, number];
          resolve(response.statusCode === 200 ? { pid, number } : undefined);
        });
        response.on("error", () => resolve(undefined));
      });
      request.on("error", () => resolve(undefined));
      request.end();
    });
  }

  test("each request is answered by exactly one of them, and both are asked, also over one connection", async () => {
    const [name, port] = [`shared-${process.pid}-a`, await freePort()];
    const [first, second] = [await start(name, port), await start(name, port)];
    const agent = new Agent({ keepAlive: true, maxSockets: 4 });
    const answers = await Promise.all(Array.from({ length: 200 }, () => get(port, agent)));
    agent.destroy();
    const numbers = (child: ChildProcess): number[] => answers.flatMap((each) => (each?.pid === child.pid ? [each?.number ?? 0] : [])).sort((a, b) => a - b);
    const counts = [await served(first), await served(second)] as [number, number];
    expect(counts[0] + counts[1]).toBe(200);
    for (const [i, child] of [first, second].entries()) {
      expect(numbers(child)).toEqual(Array.from({ length: counts[i] as number }, (_, n) => n + 1));
      expect(counts[i]).toBeGreaterThan(50);
    }
  });

  test.each(["first", "second"] as const)("the %s one dies and the other goes on; one that comes again takes its part", async (which) => {
    const [name, port] = [`shared-${process.pid}-${which}`, await freePort()];
    const both = [await start(name, port), await start(name, port)] as [ChildProcess, ChildProcess];
    const [dying, staying] = which === "first" ? both : [both[1], both[0]];
    await end(dying);
    // Who had the URLs may be gone: the other one registers them.
    let answer = await get(port);
    while (answer === undefined) answer = await get(port);
    for (let i = 0; i < 20; i++) expect(await get(port)).toMatchObject({ pid: staying.pid });
    const again = await start(name, port);
    const pids = new Set<number | undefined>();
    for (let i = 0; i < 20; i++) pids.add((await get(port))?.pid);
    expect(pids).toEqual(new Set([staying.pid, again.pid]));
  });

  test("one closes while requests come, and none is lost", async () => {
    const [name, port] = [`shared-${process.pid}-c`, await freePort()];
    const [first, second] = [await start(name, port), await start(name, port)];
    const run = { over: false };
    const answers: unknown[] = [];
    const clients = Array.from({ length: 4 }, async () => {
      while (!run.over) answers.push(await get(port));
    });
    while (answers.length < 50) await get(port);
    second.disconnect();
    await once(second, "exit");
    for (let i = 0; i < 20; i++) expect(await get(port)).toMatchObject({ pid: first.pid });
    run.over = true;
    await Promise.all(clients);
    expect(answers).not.toContain(undefined);
  });
});
