import { BadRequestError, ConnectionBudget } from "@proxy/http";
import type { FrontServerOptions } from "@proxy/http";
import type { HttpSysServer } from "@proxy/httpsys";
import * as Context from "effect/Context";
import * as Effect from "effect/Effect";
import * as Layer from "effect/Layer";
import { AccessLog } from "../access-log/access-log.ts";
import { Configuration } from "../configuration/configuration.ts";
import { callbackLog } from "../logging/callback-log.ts";
import { trustedPeers } from "@proxy/pipeline";
import { Proxy } from "../proxy/proxy.ts";
import { isFaultOfProgram } from "./fault-of-program.ts";
import { frontCertificates } from "./front-certificates.ts";
import { createFrontServer } from "./front-server-choice.ts";
import { ListenError, openListeners } from "./open-listeners.ts";

/** The open listeners. They accept as long as the scope of the layer is open. */
export class Listeners extends Context.Service<Listeners, { readonly urls: readonly string[] }>()(
  "@proxy/gateway/Listeners",
) {
  /** `announce` gets one line for each address once all of them accept. */
  static readonly layer = (
    announce: (line: string) => void,
  ): Layer.Layer<Listeners, ListenError, Configuration | Proxy | AccessLog> =>
    Layer.effect(
      Listeners,
      Effect.gen(function* () {
        const { settings } = yield* Configuration;
        const { handle, httpSysServers } = yield* Proxy;
        const { recorder } = yield* AccessLog;
        const log = yield* callbackLog;
        const options: FrontServerOptions = {
          handler: handle,
          limits: settings.limits,
          // The limits are those of the gateway, however many addresses it listens on.
          budget: new ConnectionBudget(),
          onFault: (error, connectionId) => {
            if (error instanceof BadRequestError) recorder?.refused(error, connectionId);
            const fault = isFaultOfProgram(error);
            log(fault ? "Error" : "Debug", fault ? (error.stack ?? error.message) : error.message, {
              connection: connectionId,
            });
          },
        };
        const trusts = trustedPeers(settings.trustedProxies);
        const certificates = yield* Effect.acquireRelease(
          Effect.sync(() => {
            const held = frontCertificates(log);
            const reload = (): void => held.reload();
            process.on("SIGHUP", reload);
            return { ...held, close: () => (held.close(), process.removeListener("SIGHUP", reload)) };
          }),
          (held) => Effect.sync(() => held.close()),
        );
        const open = yield* Effect.acquireRelease(
          Effect.tryPromise({
            try: () =>
              openListeners(settings.addresses, (address) => {
                const tls = address.tls === undefined || settings.engine === "HttpSys" ? undefined : certificates.tlsFor(address.tls);
                const { proxyProtocol, proxyProtocolTimeout: timeout } = address;
                const own = proxyProtocol ? { ...options, proxyProtocol: { trusts, timeout } } : options;
                const server = createFrontServer(settings, address, own, tls);
                if ("delegationSource" in server) httpSysServers.add(server as HttpSysServer);
                return server;
              }, { byName: settings.engine === "HttpSys" }),
            catch: (error) => (error instanceof ListenError ? error : new ListenError("the configured addresses", error)),
          }),
          (listeners) =>
            Effect.gen(function* () {
              yield* Effect.logInfo("stopping: no new connections, requests under way may finish").pipe(
                Effect.annotateLogs({
                  connections: listeners.connectionCount(),
                  shutdownTimeoutMs: settings.shutdownTimeout,
                }),
              );
              yield* Effect.promise(() => listeners.close(settings.shutdownTimeout));
              yield* Effect.logInfo("stopped");
            }),
        );
        for (const url of open.urls) announce(`Listening on ${url}\n`);
        return Listeners.of({ urls: open.urls });
      }),
    );
}
