import { once } from "node:events";
import { readFile, rename } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startChild } from "../support/child-gateway.ts";
import { configFolder, oneRoute } from "../support/config-file.ts";
import type { ConfigFolder } from "../support/config-file.ts";
import { bodyOf, getRaw, statusOf } from "../support/raw-client.ts";
import { plainAnswer, startRawOrigin } from "../support/raw-origin.ts";
import type { RawOrigin } from "../support/raw-origin.ts";

let folder: ConfigFolder;
/** Holds each answer back until the test lets it go. */
let origin: RawOrigin;
let arrived: PromiseWithResolvers<void>;
let release: PromiseWithResolvers<void>;
beforeEach(async () => {
  folder = await configFolder();
  arrived = Promise.withResolvers();
  release = Promise.withResolvers();
  origin = await startRawOrigin("slow", async () => {
    arrived.resolve();
    await release.promise;
    return plainAnswer("finished");
  });
});
afterEach(async () => {
  await origin.close();
  await folder[Symbol.asyncDispose]();
});

describe("the process", () => {
  test("SIGTERM lets the request under way finish, then the exit code is 0; SIGHUP opens the access log anew", async () => {
    const log = `${folder.path}/access.log`;
    const AccessLog = { Path: log, Format: "json" };
    const file = await folder.write("gateway.json", oneRoute(origin.url, { Server: { AccessLog } }));
    await using gateway = startChild(["--config", file, "--urls", "http://127.0.0.1:0"]);
    const [port] = await gateway.listening();
    expect(statusOf(await getRaw(port!, "/", "shop.test", "Content-Length: 1, 2\r\n"))).toBe(400);
    await rename(log, `${log}.1`);
    gateway.process.kill("SIGHUP");
    const answer = getRaw(port!, "/slow");
    await arrived.promise;
    gateway.process.kill("SIGTERM");
    await gateway.says("stopping");
    await expect(getRaw(port!, "/late")).rejects.toThrow(/ECONNREFUSED|ECONNRESET/);
    release.resolve();
    expect(bodyOf(await answer)).toBe("finished");
    expect(await gateway.ended).toEqual({ code: 0, signal: null });
    expect(gateway.stdout()).toBe(`Listening on http://127.0.0.1:${port}\n`);
    expect(gateway.stderr()).toContain('"stopped"');
    const entriesOf = (text: string) => text.trimEnd().split("\n").map((line) => JSON.parse(line) as Record<string, unknown>);
    // The line of the refused request may have waited for others until the file had moved.
    const entries = entriesOf((await readFile(`${log}.1`, "utf8")) + (await readFile(log, "utf8")));
    expect(entries.map(({ status }) => status)).toEqual([400, 200]);
    expect(entriesOf(await readFile(log, "utf8")).at(-1)).toMatchObject({
      target: "/slow",
      route: "all",
      cluster: "c",
      destination: "d",
      remoteAddress: "127.0.0.1",
    });
  });

  test("SIGHUP reads the configuration again and ends nothing", async () => {
    release.resolve();
    const part = "export default { ReverseProxy: { Routes: { r: { Match: { Path: '/' }, Respond: { Body: text } } } } };";
    const file = await folder.write("gateway.mjs", `import { readFileSync } from "node:fs";
const text = readFileSync(new URL("text", import.meta.url), "utf8");
${part}`);
    await folder.write("text", "before");
    await using gateway = startChild(["run", "-c", file, "--urls", "http://127.0.0.1:0"]);
    const [port] = await gateway.listening();
    expect(bodyOf(await getRaw(port!, "/"))).toBe("before");
    // What the configuration reads by itself is not watched.
    await folder.write("text", "after");
    gateway.process.kill("SIGHUP");
    await gateway.says("the changed configuration is in use");
    expect(bodyOf(await getRaw(port!, "/"))).toBe("after");
    gateway.process.kill("SIGTERM");
    expect(await gateway.ended).toEqual({ code: 0, signal: null });
  });

  test("after SIGINT a request that takes too long is cut at the end of the shutdown timeout, and the exit code is 0", async () => {
    const file = await folder.write("gateway.json", oneRoute(origin.url, { Server: { ShutdownTimeout: "200ms" } }));
    await using gateway = startChild(["run", "-c", file, "--urls", "http://127.0.0.1:0"]);
    const [port] = await gateway.listening();
    const answer = getRaw(port!, "/").catch(() => "");
    await arrived.promise;
    gateway.process.kill("SIGINT");
    expect(await gateway.ended).toEqual({ code: 0, signal: null });
    expect(await answer).not.toContain("finished");
  });

  test("the second signal ends it at once", async () => {
    const file = await folder.write("gateway.json", oneRoute(origin.url));
    await using gateway = startChild(["run", "-c", file, "--urls", "http://127.0.0.1:0"]);
    const [port] = await gateway.listening();
    const answer = getRaw(port!, "/").catch(() => "");
    await arrived.promise;
    gateway.process.kill("SIGTERM");
    await gateway.says("stopping");
    gateway.process.kill("SIGTERM");
    expect(await gateway.ended).toEqual({ code: 143, signal: null });
    await answer;
  });

  test("an address in use is said, and the exit code is 1", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as AddressInfo;
    const file = await folder.write("gateway.json", oneRoute(origin.url));
    await using gateway = startChild(["-c", file, "--urls", `http://127.0.0.1:0;http://127.0.0.1:${port}`]);
    expect((await gateway.ended).code).toBe(1);
    expect(gateway.stdout()).toBe("");
    expect(gateway.stderr()).toContain(
      `cannot listen on http://127.0.0.1:${port}: the address is in use by another process`,
    );
    taken.close();
  });
});
