/**
 * The gateway as layers: configuration, then logging at the configured level, the access log, the proxy, the
 * listeners. They are torn down in the opposite order: listeners stop accepting and drain while everything that
 * requests under way need is still there.
 */
import * as Effect from "effect/Effect";
import * as Layer from "effect/Layer";
import { AccessLog } from "./access-log/access-log.ts";
import type { AccessLogError } from "./access-log/access-log.ts";
import { Configuration } from "./configuration/configuration.ts";
import type { ConfigurationError, ConfigurationOptions } from "./configuration/configuration.ts";
import { Listeners } from "./listeners/listeners.ts";
import type { ListenError } from "./listeners/open-listeners.ts";
import type { LogFormat } from "./logging/log-format.ts";
import { loggingLayer } from "./logging/logging-layer.ts";
import { Proxy } from "./proxy/proxy.ts";

export interface GatewayOptions extends ConfigurationOptions {
  readonly logFormat: LogFormat;
  /** Takes the log, line by line. */
  readonly writeLog: (line: string) => void;
  /** Takes `Listening on http://…` for each address, once all accept. */
  readonly announce: (line: string) => void;
}

/** Why a gateway cannot start. Each has a message for people. */
export type StartError = ConfigurationError | AccessLogError | ListenError;

/** A gateway that serves as long as the layer's scope is open. */
export function gatewayLayer(options: GatewayOptions): Layer.Layer<Listeners | Proxy | Configuration, StartError> {
  const logging = Layer.unwrap(
    Effect.map(Configuration, ({ settings }) =>
      loggingLayer({ level: settings.logLevel, format: options.logFormat, write: options.writeLog }),
    ),
  );
  const accessLog = Layer.unwrap(
    Effect.map(Configuration, ({ settings }) =>
      settings.accessLog === undefined ? AccessLog.off : AccessLog.layer(settings.accessLog),
    ),
  );
  return Listeners.layer(options.announce).pipe(
    Layer.provideMerge(Proxy.layer),
    Layer.provide(accessLog),
    Layer.provide(logging),
    Layer.provideMerge(Configuration.layer(options)),
  );
}
