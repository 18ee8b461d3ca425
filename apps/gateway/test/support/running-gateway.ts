import * as Effect from "effect/Effect";
import * as Layer from "effect/Layer";
import * as ManagedRuntime from "effect/ManagedRuntime";
import * as TestClock from "effect/testing/TestClock";
import type { ProxyState } from "@proxy/pipeline";
import type { HostOverrides } from "../../src/configuration/host-settings.ts";
import { gatewayLayer } from "../../src/gateway.ts";
import { parseListenUrls } from "../../src/listeners/listen-url.ts";
import { Listeners } from "../../src/listeners/listeners.ts";
import { Proxy } from "../../src/proxy/proxy.ts";

/** A gateway inside the test's process, on a free port of loopback unless the test says otherwise. */
export interface RunningGateway {
  readonly urls: readonly string[];
  /** Of the first listener. */
  readonly port: number;
  /** Routes and clusters as they are now. */
  readonly state: ProxyState;
  /** Moves the time of a gateway with `testClock`. */
  advance(milliseconds: number): Promise<void>;
  /** What it announced on standard output. */
  readonly announced: string;
  /** The log, as JSON lines already parsed. */
  readonly log: readonly Readonly<Record<string, unknown>>[];
  /** Resolves with the first log entry, past or to come, that `match` accepts. */
  logged(match: (entry: Readonly<Record<string, unknown>>) => boolean): Promise<Readonly<Record<string, unknown>>>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface RunningOptions {
  readonly strict?: boolean | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly urls?: string | undefined;
  readonly logLevel?: HostOverrides["logLevel"];
  /** Time stands still but for `advance`. Default false. */
  readonly testClock?: boolean | undefined;
}

export const anyPort = "http://127.0.0.1:0";

/** Rejects with what kept it from starting. `urls: ""` leaves the addresses to the configuration. */
export async function startGateway(files: readonly string[], options: RunningOptions = {}): Promise<RunningGateway> {
  const log: Record<string, unknown>[] = [];
  const watchers = new Set<() => void>();
  let announced = "";
  const urls = options.urls ?? anyPort;
  const gateway = gatewayLayer({
    files,
    strict: options.strict ?? false,
    env: options.env ?? {},
    overrides: {
      addresses: urls === "" ? undefined : parseListenUrls(urls),
      logLevel: options.logLevel,
    },
    logFormat: "json",
    writeLog: (line) => {
      log.push(JSON.parse(line) as Record<string, unknown>);
      for (const watcher of watchers) watcher();
    },
    announce: (line) => {
      announced += line;
    },
  });
  const time = options.testClock === true ? TestClock.layer({ warningDelay: "1 hour" }) : Layer.empty;
  const runtime = ManagedRuntime.make(gateway.pipe(Layer.provideMerge(time)));
  const listeners = await runtime.runPromise(Effect.service(Listeners));
  const { state } = await runtime.runPromise(Effect.service(Proxy));
  return {
    urls: listeners.urls,
    port: Number(new URL(listeners.urls[0]!).port),
    announced,
    state,
    advance: (milliseconds) => runtime.runPromise(TestClock.adjust(milliseconds)),
    log,
    logged: (match) =>
      new Promise((resolve) => {
        const look = (): void => {
          const found = log.find(match);
          if (found === undefined) return;
          watchers.delete(look);
          resolve(found);
        };
        watchers.add(look);
        look();
      }),
    [Symbol.asyncDispose]: () => runtime.dispose(),
  };
}
