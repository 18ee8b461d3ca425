import { ConfigError } from "@proxy/config";
import { createConfiguredResolver, resolvingProvider } from "@proxy/cluster";
import type { ConfigChangeListener, ProxyConfig } from "@proxy/config";
import { createEdgePolicies } from "@proxy/edge";
import type { ExchangeHandler } from "@proxy/http";
import type { HttpSysServer } from "@proxy/httpsys";
import { createReverseProxy } from "@proxy/pipeline";
import type { ProxyState, ReverseProxy } from "@proxy/pipeline";
import * as Context from "effect/Context";
import * as Effect from "effect/Effect";
import * as Layer from "effect/Layer";
import type * as Scope from "effect/Scope";
import { AccessLog } from "../access-log/access-log.ts";
import { Configuration } from "../configuration/configuration.ts";
import { callbackLog } from "../logging/callback-log.ts";
import type { CallbackLog } from "../logging/callback-log.ts";
import { affinityKeys } from "./affinity-keys.ts";
import { configurationChanges } from "./configuration-changes.ts";
import { createDelegator, lackOfHttpSysDelegation } from "./delegation.ts";
import { runWhenDue } from "./health-checks.ts";
import { proxyClock } from "./proxy-clock.ts";
import { proxyEvents } from "./proxy-events.ts";
import { shortLivedSessions } from "./short-lived-sessions.ts";

/** The proxy. `handle` is what a listener calls with each request: a plain function, no effect is run for a request. */
export class Proxy extends Context.Service<
  Proxy,
  {
    readonly handle: ExchangeHandler;
    /** Routes and clusters as they are now, with the health of destinations and its history. */
    readonly state: ProxyState;
    /** The servers on HTTP.sys that listen, put in by the listeners: requests are delegated from their queues. */
    readonly httpSysServers: Set<HttpSysServer>;
  }
>()("@proxy/gateway/Proxy") {
  /** Watches the configuration and serves until the scope closes; fails with `ConfigError` when it cannot be used at first. */
  static readonly layer: Layer.Layer<Proxy, ConfigError, Configuration | AccessLog> = Layer.effect(
    Proxy,
    Effect.gen(function* () {
      const { provider, settings, restartWarnings } = yield* Configuration;
      const { recorder } = yield* AccessLog;
      const log = yield* callbackLog;
      restartWarnings.onWarning((message) => log("Warn", message));
      const clock = yield* proxyClock;
      const keys = yield* affinityKeys(settings.affinityKeys, log);
      const resolver = createConfiguredResolver({
        clock,
        onStale: (host, error) => log("Warn", "a host cannot be resolved, its last addresses stay in use", { host, error: error.message }),
      });
      const httpSysServers = new Set<HttpSysServer>();
      let running = false;
      const proxy = yield* Effect.acquireRelease(
        Effect.tryPromise({
          try: async () =>
            createReverseProxy({
              config: resolvingProvider(provider, resolver, clock),
              affinityKeys: keys,
              healthChecks: "external",
              extensions: [createEdgePolicies({ clock, trustedProxies: settings.trustedProxies, logger: proxyEvents(log, () => running) })],
              clock,
              delegator: createDelegator(settings, log, httpSysServers, await lackOfHttpSysDelegation(settings)),
              trustedProxies: settings.trustedProxies,
              errorPages: settings.errorPages,
              webSocketTelemetry: settings.webSocketTelemetry,
              logger: proxyEvents(log, () => running),
              listeners: [changeLog(log), ...(recorder === undefined ? [] : [recorder.listener]), ...(keys === undefined ? [shortLivedSessions(log)] : [])],
              steps: recorder === undefined ? undefined : (steps) => [recorder.step, ...steps],
            }),
          catch: (error) => error,
        }).pipe(Effect.catch((error) => (error instanceof ConfigError ? Effect.fail(error) : Effect.die(error)))),
        (opened) => Effect.promise(() => within(closingTime, opened.close())),
      );
      running = true;
      yield* Effect.forkScoped(runWhenDue(proxy.health, () => clock.now()));
      yield* reloadAtHangup(proxy);
      return Proxy.of({ handle: recorder === undefined ? proxy.handle : recorder.wrap(proxy.handle), state: proxy.state, httpSysServers });
    }),
  );
}

/** SIGHUP reads the configuration again, as operators of other servers expect; what is wrong with it is told as at any reload. */
const reloadAtHangup = (proxy: ReverseProxy): Effect.Effect<void, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const listener = (): void => {
        // The listeners of the configuration have told of a refusal by then.
        proxy.reload().catch(() => undefined);
      };
      process.on("SIGHUP", listener);
      return listener;
    }),
    (listener) => Effect.sync(() => process.removeListener("SIGHUP", listener)),
  );

/**
 * The listeners have drained or cut every request before; what the proxy still waits for is a destination that does
 * not close its connection, and the process must end.
 */
const closingTime = 2000;

/** Resolves when `work` does, at the latest after `milliseconds`. */
async function within(milliseconds: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  await Promise.race([work, limit]);
  clearTimeout(timer);
}

/** Says which configuration is in use, and how much a reload changed. */
function changeLog(log: CallbackLog): ConfigChangeListener {
  let running: ProxyConfig | undefined;
  let isRefused = false;
  return {
    loadingFailed() {
      isRefused = true;
    },
    applyingFailed() {
      isRefused = true;
    },
    applied([config]) {
      // A file that cannot be read leaves what its provider gave last.
      if (config === undefined || config === running) return;
      const { revisionId, routes, clusters } = config;
      const facts = { revision: revisionId, routes: routes.length, clusters: clusters.length };
      if (running === undefined) log("Info", "the configuration is loaded", facts);
      else if (revisionId === running.revisionId) {
        const changes = configurationChanges(running, config);
        if (changes.clustersChanged > 0) log("Info", "destinations have other addresses now", { ...facts, clustersChanged: changes.clustersChanged });
        else if (isRefused) log("Info", "the running configuration is what the files say again", facts);
      } else log("Info", "the changed configuration is in use", { ...facts, ...configurationChanges(running, config) });
      running = config;
      isRefused = false;
    },
  };
}
