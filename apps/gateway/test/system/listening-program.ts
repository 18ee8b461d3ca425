import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect, createServer, type AddressInfo } from "node:net";

/** A program of the system that listens on loopback, until the object is disposed of. */
export interface ListeningProgram {
  readonly ports: readonly number[];
  [Symbol.asyncDispose](): Promise<void>;
}

export interface ListeningOptions {
  readonly program: string;
  /** How many ports it listens on. */
  readonly count: number;
  /** Writes what it is configured with; gives its arguments. */
  readonly prepare: (ports: readonly number[]) => Promise<readonly string[]>;
  /** What ends it. */
  readonly signal: NodeJS.Signals;
}

/** How often other ports are tried, should somebody take one between the look and the start. */
const attempts = 5;

/**
 * Starts a program that must be told its ports, and waits until it accepts on all of them. Rejects with what it wrote when it ends
 * each time before.
 */
export async function startListening({ program, count, prepare, signal }: ListeningOptions): Promise<ListeningProgram> {
  let output = "";
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const ports = await freePorts(count);
    const child = spawn(program, await prepare(ports), { stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString("latin1")));
    const over = new AbortController();
    const ended = once(child, "close").then(() => over.abort());
    await Promise.race([Promise.all(ports.map((port) => accepting(port, over.signal))), ended]);
    if (over.signal.aborted) continue;
    return {
      ports,
      async [Symbol.asyncDispose]() {
        child.kill(signal);
        await ended;
      },
    };
  }
  throw new Error(`${program} ended before it listened: ${output}`);
}

async function freePorts(count: number): Promise<readonly number[]> {
  const probes = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(probes.map((probe) => once(probe, "listening")));
  const ports = probes.map((probe) => (probe.address() as AddressInfo).port);
  await Promise.all(probes.map((probe) => once(probe.close(), "close")));
  return ports;
}

/** Some programs say nothing when they are ready: the port is asked until it answers, or nobody will. */
async function accepting(port: number, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    const connected = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => {
        socket.destroy();
        resolve(true);
      });
      socket.on("error", () => setTimeout(() => resolve(false), 20));
    });
    if (connected) return;
  }
}
