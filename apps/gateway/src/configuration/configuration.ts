import { ConfigError } from "@proxy/config";
import type { ConfigProvider } from "@proxy/config";
import { fileProvider } from "@proxy/config/schema";
import * as Context from "effect/Context";
import * as Effect from "effect/Effect";
import * as Layer from "effect/Layer";
import { FilesMissingError } from "./files-missing.ts";
import { restartWarnings } from "./restart-warnings.ts";
import type { RestartWarnings } from "./restart-warnings.ts";
import { hostSettingsOf } from "./host-settings.ts";
import type { HostOverrides, HostSettings } from "./host-settings.ts";
import { loadForHost } from "./inspect-configuration.ts";

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
    readonly restartWarnings: RestartWarnings;
  }
>()("@proxy/gateway/Configuration") {
  static readonly layer = (options: ConfigurationOptions): Layer.Layer<Configuration, ConfigurationError> =>
    Layer.effect(
      Configuration,
      Effect.gen(function* () {
        const { files, strict, env, overrides } = options;
        const ignoreAddresses = overrides.addresses !== undefined;
        const config = yield* Effect.tryPromise({
          try: () => loadForHost(files, { strict, env, ignoreAddresses }),
          catch: (error) => error,
        }).pipe(Effect.catch((error) => (isForeseen(error) ? Effect.fail(error) : Effect.die(error))));
        const warnings = restartWarnings(config, overrides);
        const provider = yield* Effect.acquireRelease(
          Effect.sync(() => fileProvider(files, { strict, env, onLoad: (loaded) => warnings.loaded(loaded) })),
          (held) => Effect.promise(async () => held.close?.()),
        );
        const settings = hostSettingsOf(config, overrides);
        return Configuration.of({ settings, provider, restartWarnings: warnings });
      }),
    );
}

function isForeseen(error: unknown): error is ConfigurationError {
  return error instanceof ConfigError || error instanceof FilesMissingError;
}
