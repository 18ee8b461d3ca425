import * as Effect from "effect/Effect";
import type { ConfigError } from "../config-issue.ts";
import type { DecodeFileOptions, LoadedGatewayConfig } from "./decode-gateway-file.ts";
import { decodeTrees } from "./decode-gateway-file.ts";
import { readSourceFiles } from "./read-source-file.ts";

/**
 * The configuration in one or several files: routes and clusters of all, in order; of `Urls`, `Server` and `Logging` the later
 * file wins. Rejects with a `ConfigError` that holds everything that is wrong in all files, missing files included.
 */
export async function loadGatewayConfig(paths: string | readonly string[], options: DecodeFileOptions = {}): Promise<LoadedGatewayConfig> {
  const files = typeof paths === "string" ? [paths] : paths;
  const { sources, unreadable } = await readSourceFiles(files);
  return decodeTrees(sources, options, unreadable);
}

/** `loadGatewayConfig` as an effect. */
export function loadGatewayConfigEffect(
  paths: string | readonly string[],
  options: DecodeFileOptions = {},
): Effect.Effect<LoadedGatewayConfig, ConfigError> {
  return Effect.tryPromise({ try: () => loadGatewayConfig(paths, options), catch: (error) => error as ConfigError });
}
