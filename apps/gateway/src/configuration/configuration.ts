import type { ConfigError, ConfigProvider } from "@proxy/config";
import * as Context from "effect/Context";
import * as Effect from "effect/Effect";
import * as Layer from "effect/Layer";
import type { FilesMissingError } from "./files-missing.ts";
import { requireFiles } from "./files-missing.ts";
import { hostSettingsOf } from "./host-settings.ts";
import type { HostOverrides, HostSettings } from "./host-settings.ts";

export interface ConfigurationOptions {
  readonly files: readonly string[];
  /** Unknown keys are errors. */
  readonly strict: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly overrides: HostOverrides;
}

export type ConfigurationError = ConfigError | FilesMissingError;

/** What the files say: settings of the process, fixed from now on, and the proxy's configuration, which is watched. */
export class Configuration extends Context.Service<
  Configuration,
  {
    readonly settings: HostSettings;
    readonly provider: ConfigProvider;
  }
>()("@proxy/gateway/Configuration") {
  static readonly layer = (options: ConfigurationOptions): Layer.Layer<Configuration, ConfigurationError> =>
    Layer.effect(
      Configuration,
      Effect.gen(function* () {
        yield* attempt(() => requireFiles(options.files));
        const { loadGatewayConfig, fileProvider } = yield* Effect.promise(() => import("@proxy/config/schema"));
        const { files, strict, env } = options;
        const loaded = yield* attempt(() => loadGatewayConfig(files, { strict, env }));
        const settings = yield* attempt(() => Promise.resolve(hostSettingsOf(loaded.config, options.overrides)));
        const provider = yield* Effect.acquireRelease(
          Effect.sync(() => fileProvider(files, { strict, env })),
          (held) => Effect.promise(async () => held.close?.()),
        );
        return Configuration.of({ settings, provider });
      }),
    );
}

/** Rejections are configuration errors, which are told; anything else is a fault of the program. */
function attempt<A>(run: () => Promise<A>): Effect.Effect<A, ConfigurationError> {
  return Effect.tryPromise({ try: run, catch: (error) => error as ConfigurationError });
}
