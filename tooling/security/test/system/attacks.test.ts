/** Plays the attack corpus against the gateway: on the wire, and the `config` cases through `check`. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { profile } from "../../profile.ts";
import { gatewayMain, runGateway } from "../../run-gateway.ts";

const here = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const fixture = (name: string): string => here(`test/system/${name}`);
const corpus = JSON.parse(readFileSync(here("attacks.json"), "utf8")) as {
  cases: readonly { id: string; kind?: string; class: string }[];
};
const ofKind = (kind: string): string[] => corpus.cases.filter((c) => (c.kind ?? "http1") === kind).map((c) => c.id);

interface Summary {
  readonly passed: number;
  readonly failed: number;
  readonly failures: ReadonlySet<string>;
  readonly output: string;
}

/** How often cases that fail are played. */
const attempts = 3;

/**
 * Plays the cases `ids`; `args` are `--name=value`. The player judges by the clock, a tenth of a second here and there: what
 * fails on a busy machine is played again, on its own.
 */
async function playAll(ids: readonly string[], args: readonly string[]): Promise<void> {
  let left = ids;
  for (let attempt = 1; ; attempt++) {
    const result = await play([...args, `--only=${left.join(",")}`]);
    expect(result.passed + result.failed, result.output).toBe(left.length);
    if (result.failed === 0) return;
    const failed = left.filter((id) => result.failures.has(id));
    expect(failed.length, result.output).toBe(result.failed);
    if (attempt === attempts) expect.fail(result.output);
    left = failed;
  }
}

/** Runs the player once. */
function play(args: readonly string[]): Promise<Summary> {
  return new Promise((resolve, reject) => {
    const pairs = args.flatMap((arg) => [arg.slice(0, arg.indexOf("=")), arg.slice(arg.indexOf("=") + 1)]);
    const child = spawn(process.execPath, [here("run-attacks.mjs"), "--cases", here("attacks.json"), ...pairs]);
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString("utf8")));
    child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString("utf8")));
    child.once("error", reject);
    child.once("close", () => {
      const counts = /(\d+) passed, (\d+) failed/.exec(output);
      if (counts === null) reject(new Error(output));
      else resolve({
        passed: Number(counts[1]),
        failed: Number(counts[2]),
        failures: new Set([...output.matchAll(/^FAIL (\S+) \[/gm)].map(([, id]) => id as string)),
        output,
      });
    });
  });
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe("attack corpus", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "attacks-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("holds in every http1 case through the engine", async () => {
    const backendPort = await freePort();
    const log = join(folder, "access.log");
    const config = join(folder, "gateway.json");
    writeFileSync(config, JSON.stringify(profile({ backendPort, accessLogFile: log, engine: "http1" })));
    const gateway = await runGateway(config);
    try {
      const ids = ofKind("http1");
      await playAll(ids, [`--proxy=127.0.0.1:${gateway.port}`, `--backend-port=${backendPort}`, `--log=${log}`]);
      expect(gateway.child.exitCode, gateway.stderr()).toBe(null);
    } finally {
      await gateway.stop();
    }
  });

  it.each(["h2", "h2-tls", "tls"])("holds in every %s case", async (listener) => {
    const backendPort = await freePort();
    const log = join(folder, `access-${listener}.log`);
    const config = join(folder, `gateway-${listener}.json`);
    const certificate = { path: fixture("attacks-cert.pem"), keyPath: fixture("attacks-key.pem") };
    writeFileSync(config, JSON.stringify(profile({ backendPort, accessLogFile: log, engine: "http1", certificate })));
    const gateway = await runGateway(config, 3);
    try {
      const ids = ofKind(listener === "tls" ? "tls" : "h2");
      const port = listener === "h2" ? gateway.ports[1] : gateway.ports[2];
      await playAll(ids, [
        `--proxy=127.0.0.1:${gateway.port}`,
        `--backend-port=${backendPort}`,
        `--log=${log}`,
        `--${listener}=127.0.0.1:${port}`,
        "--tls-sni=example.test",
      ]);
      expect(gateway.child.exitCode, gateway.stderr()).toBe(null);
    } finally {
      await gateway.stop();
    }
  });

  it("holds in every config case through the check command", async () => {
    const ids = ofKind("config");
    const command = `${process.execPath} --conditions=@proxy/source ${gatewayMain} check`;
    await playAll(ids, [`--config-check=${command}`]);
  });
});
