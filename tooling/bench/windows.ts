/** A proxy that runs and is measured by windows of load: short ones, between which others have theirs. */
import { mkdirSync } from "node:fs";
import { type LoadResult, openIdle, runLoad } from "./load.ts";
import { accepts, cpuTime, freePort, memory } from "./processes.ts";
import type { Proxy } from "./proxies.ts";
import type { Shape } from "./shapes.ts";

export interface Window extends LoadResult {
  /** CPU of the proxy's processes per request, microseconds. */
  readonly user: number;
  readonly system: number;
}

/** When a proxy counts as warm: after so many requests and so many seconds, but after `mostSeconds` anyway. */
export interface WarmUp {
  readonly requests: number;
  readonly seconds: number;
  readonly mostSeconds: number;
}

export interface RunnerPlace {
  readonly folder: string;
  readonly core: number;
  readonly loadCore: number;
  readonly originPort: number;
}

export interface Runner {
  readonly proxy: Proxy;
  readonly port: number;
  readonly pids: () => readonly number[];
  /** CPU per request of the warm-up, microseconds, and its requests. */
  readonly warmUpCpu: number;
  readonly warmUpRequests: number;
  warmUp(until: WarmUp): Promise<void>;
  /** With a shape's idle connections, which are opened before and closed after. */
  window(seconds: number): Promise<Window>;
  stop(): Promise<void>;
}

/** Starts `proxy` for `shape`; resolves when it accepts connections. */
export async function startRunner(proxy: Proxy, shape: Shape, place: RunnerPlace): Promise<Runner> {
  const { folder, core, loadCore, originPort } = place;
  const port = await freePort();
  mkdirSync(folder, { recursive: true });
  const running = proxy.start({ folder, core, port, originPort, shape });
  try {
    await accepts(port);
  } catch (error) {
    await running.stop();
    throw error;
  }
  const measured = async (seconds: number): Promise<Window> => {
    const idle = shape.idleConnections === undefined ? undefined : await openIdle(shape.idleConnections, port);
    const before = cpuTime(running.pids());
    const result = await runLoad(shape, port, seconds, folder, loadCore);
    const after = cpuTime(running.pids());
    if (idle !== undefined) {
      idle.close();
      // The proxy clears them away on the core where the next one is measured.
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    if (result.requests === 0) throw new Error(`${proxy.name} answered no request of ${shape.name}`);
    // Who has handed all connections over does nothing in a window.
    if (proxy.mayRest !== true && after.user + after.system === before.user + before.system) throw new Error(`${proxy.name}: no CPU time was seen`);
    return {
      ...result,
      user: (after.user - before.user) / result.requests,
      system: (after.system - before.system) / result.requests,
    };
  };
  let warmUpRequests = 0;
  let warmUpTime = 0;
  return {
    proxy,
    port,
    pids: running.pids,
    get warmUpCpu() {
      return warmUpTime / warmUpRequests;
    },
    get warmUpRequests() {
      return warmUpRequests;
    },
    async warmUp({ requests, seconds, mostSeconds }) {
      let spent = 0;
      while (spent < mostSeconds && (warmUpRequests < requests || spent < seconds)) {
        // By what it did so far: as few windows as may be.
        const needed = spent === 0 ? 1 : Math.ceil((requests - warmUpRequests) / (warmUpRequests / spent));
        const next = Math.max(1, Math.min(needed, mostSeconds - spent));
        const window = await measured(next);
        warmUpRequests += window.requests;
        warmUpTime += (window.user + window.system) * window.requests;
        spent += next;
      }
    },
    window: measured,
    stop: () => running.stop(),
  };
}

/** Connections opened after the measurement, to see what an idle one costs. */
export const furtherIdle = 4000;

/** KiB that each of many further connections adds: what the heap has grown to under load would hide a thousand. */
export async function rssPerIdleConnection(runner: Runner): Promise<number> {
  const { now } = memory(runner.pids());
  const further = await openIdle(furtherIdle, runner.port);
  const added = Math.max(0, memory(runner.pids()).now - now) / furtherIdle;
  further.close();
  return added;
}
