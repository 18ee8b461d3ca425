/** The destination of a shape: the nginx of all, or a small server of its own kind on the same core. */
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Origin } from "./origin.ts";
import { accepts, freePort, start } from "./processes.ts";
import type { Shape } from "./shapes.ts";

const here = fileURLToPath(new URL("destinations", import.meta.url));

export interface Destination {
  readonly port: number;
  stop(): Promise<void>;
}

/** Where the receiver that listens on `port` takes connections that are handed over. */
export function receiverSocket(port: number): string {
  return join(tmpdir(), `proxy-bench-receiver-${port}`, "r.sock");
}

/** Where the requests of `shape` end. `stop` ends only what this started. */
export async function startDestination(shape: Shape, origin: Origin, core: number): Promise<Destination> {
  if (shape.destination === undefined) return { port: origin.port, stop: () => Promise.resolve() };
  const port = await freePort();
  const running = start(core, [process.execPath, join(here, `${shape.destination}.mjs`), String(port), receiverSocket(port)]);
  await accepts(port);
  return {
    port,
    async stop() {
      await running.stop();
      rmSync(dirname(receiverSocket(port)), { recursive: true, force: true });
    },
  };
}
