import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
// @boundaries-ignore the double of the HTTP Server API
import { sanitizedEnvironment } from "../../../../../tooling/httpsys-double/build.ts";
import { oneRoute } from "../../support/config-file.ts";

export interface DelegatingGateway {
  readonly library: string;
  readonly port: number;
  /** Of the URL prefix that the target has. */
  readonly targetPort: number;
  /** The target's. */
  readonly queue: string;
  /** The gateway's own; default: one without a name. */
  readonly ownQueue?: string | undefined;
}

/** A gateway on HTTP.sys that delegates everything. */
export function gatewayConfig({ library, port, targetPort, queue, ownQueue }: DelegatingGateway): unknown {
  const config = oneRoute(`http://localhost:${targetPort}/`, {
    Server: { Engine: "HttpSys", HttpSys: { LibraryPath: library, QueueName: ownQueue }, Limits: { MaxRequestBodySize: null } },
    Urls: `http://127.0.0.1:${port}`,
  }) as { ReverseProxy: { Clusters: { c: { Destinations: { d: Record<string, unknown> } } } } };
  config.ReverseProxy.Clusters.c.Destinations.d["Metadata"] = { HttpSysDelegationQueue: queue };
  return config;
}

/** Starts modules of this folder as processes with an IPC channel; each says "ready". */
export class ProcessStarter {
  /** What all of them wrote. */
  stderr = "";
  readonly #env: NodeJS.ProcessEnv;
  readonly #children: ChildProcess[] = [];

  constructor(sanitize: boolean, env: Readonly<Record<string, string>> = {}) {
    this.#env = { ...process.env, ...(sanitize ? sanitizedEnvironment() : {}), ...env };
  }

  async start(module: string, ...args: readonly string[]): Promise<ChildProcess> {
    const child = fork(fileURLToPath(new URL(module, import.meta.url)), args, {
      execArgv: ["--conditions=@proxy/source", "--expose-gc"],
      env: this.#env,
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    this.#children.push(child);
    child.stderr?.setEncoding("utf8").on("data", (text: string) => void (this.stderr += text));
    const [message] = (await Promise.race([once(child, "message"), once(child, "exit")])) as [unknown];
    if (message !== "ready") throw new Error(`${module} ended: ${this.stderr}`);
    return child;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) await kill(child);
  }
}

/** With SIGKILL; resolves when it is gone. */
export async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}
