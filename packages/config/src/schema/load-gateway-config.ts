import * as Effect from "effect/Effect";
import type { ConfigError } from "../config-issue.ts";
import type { DecodeFileOptions, LoadedGatewayConfig } from "./decode-gateway-file.ts";
import { decodeTree } from "./decode-gateway-file.ts";
import { readSourceFiles } from "./read-source-file.ts";

/**
 * The configuration in one or several files, laid over one another: what a later file says wins, key by key, in lists item by
 * item. Rejects with a `ConfigError` that holds everything that is wrong in all files, missing files included.
 */
export async function loadGatewayConfig(paths: string | readonly string[], options: DecodeFileOptions = {}): Promise<LoadedGatewayConfig> {
  const files = typeof paths === "string" ? [paths] : paths;
  const { source, unreadable } = await readSourceFiles(files);
  return decodeTree(source, options, unreadable);
}

/** `loadGatewayConfig` as an effect. */
export function loadGatewayConfigEffect(
  paths: string | readonly string[],
  options: DecodeFileOptions = {},
): Effect.Effect<LoadedGatewayConfig, ConfigError> {
  return Effect.tryPromise({ try: () => loadGatewayConfig(paths, options), catch: (error) => error as ConfigError });
}
