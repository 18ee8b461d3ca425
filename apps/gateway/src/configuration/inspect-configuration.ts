import { ConfigError, configErrorOf } from "@proxy/config";
import type { ConfigIssue, GatewayConfig } from "@proxy/config";
import { loadGatewayConfig } from "@proxy/config/schema";
import type { DecodeFileOptions } from "@proxy/config/schema";
import { createEdgePolicies } from "@proxy/edge";
import { createProxyValidator } from "@proxy/pipeline";
import { delegatorForChecks } from "../proxy/delegation.ts";
import { requireFiles } from "./files-missing.ts";
import { hostIssues } from "./host-issues.ts";

export interface InspectOptions {
  /** Unknown keys are errors. */
  readonly strict: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The addresses of the configuration are not used, so they may be anything. Default false. */
  readonly ignoreAddresses?: boolean | undefined;
  /** The settings of the process are not looked at: certificates may be on another machine. Default false. */
  readonly ignoreHost?: boolean | undefined;
}

export interface InspectedConfiguration {
  /** Undefined when there is an error among the issues. */
  readonly config: GatewayConfig | undefined;
  /** Errors and warnings, each with its place in a file. */
  readonly issues: readonly ConfigIssue[];
}

/**
 * Loads files as one configuration and finds everything that is wrong with them: structure, the rules of the proxy,
 * the settings of the process. Opens and connects to nothing. Rejects with `FilesMissingError`.
 */
export async function inspectConfiguration(
  files: readonly string[],
  options: InspectOptions,
): Promise<InspectedConfiguration> {
  await requireFiles(files);
  try {
    const { config, warnings } = await loadGatewayConfig(files, {
      ...loadOptions(options),
      validate: { validators: [createProxyValidator({ extensions: [createEdgePolicies()], delegator: delegatorForChecks() })] },
    });
    return { config, issues: warnings };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { config: undefined, issues: error.issues };
  }
}

/**
 * Loads files for a proxy that checks routes and clusters itself. Rejects with `FilesMissingError`, or with a
 * `ConfigError` that holds what `inspectConfiguration` finds.
 */
export async function loadForHost(files: readonly string[], options: InspectOptions): Promise<GatewayConfig> {
  await requireFiles(files);
  try {
    return (await loadGatewayConfig(files, { ...loadOptions(options), validate: false })).config;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
  }
  const { config, issues } = await inspectConfiguration(files, options);
  // Undefined unless somebody mended the files in between.
  if (config === undefined) throw configErrorOf(issues);
  return config;
}

function loadOptions({ strict, env, ignoreAddresses = false, ignoreHost = false }: InspectOptions): DecodeFileOptions {
  return { strict, env, checkSettings: (config) => (ignoreHost ? [] : hostIssues(config, ignoreAddresses)) };
}
