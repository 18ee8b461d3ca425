/** Starts the gateway from its sources with a configuration, and waits until it listens. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

export interface RunningGateway {
  readonly port: number;
  /** Of all addresses, in the order of their announcement. */
  readonly ports: readonly number[];
  readonly child: ChildProcess;
  /** What it wrote to standard error so far, at most 1 MiB. */
  readonly stderr: () => string;
  /** Ends it; resolves with its exit code. */
  stop(): Promise<number | null>;
}

export const gatewayMain: string = fileURLToPath(new URL("../../apps/gateway/src/main.ts", import.meta.url));

/** `addresses`: how many it announces before it counts as started. */
export async function runGateway(configFile: string, addresses = 1): Promise<RunningGateway> {
  const child = spawn(
    process.execPath,
    ["--conditions=@proxy/source", gatewayMain, "run", "--config", configFile],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  let errors = "";
  let output = "";
  child.stderr.on("data", (chunk: Buffer) => {
    if (errors.length < 1_048_576) errors += chunk.toString("utf8");
  });
  const ports = await new Promise<readonly number[]>((resolve, reject) => {
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString("utf8");
      const found = [...output.matchAll(/Listening on https?:\/\/[^\s:]+:(\d+)\n/g)];
      if (found.length >= addresses) resolve(found.map((match) => Number(match[1])));
    });
    child.once("exit", (code) => reject(new Error(`the gateway ended with ${code}: ${errors}`)));
  });
  return {
    port: ports[0] as number,
    ports,
    child,
    stderr: () => errors,
    async stop() {
      if (child.exitCode !== null) return child.exitCode;
      child.kill("SIGTERM");
      const [code] = (await once(child, "exit")) as [number | null];
      return code;
    },
  };
}
