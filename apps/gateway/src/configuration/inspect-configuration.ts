import { ConfigError, configErrorOf } from "@proxy/config";
import type { ConfigIssue, GatewayConfig } from "@proxy/config";
import { loadGatewayConfig } from "@proxy/config/schema";
import { createProxyValidator } from "@proxy/pipeline";
import { requireFiles } from "./files-missing.ts";
import { hostIssues } from "./host-issues.ts";

export interface InspectOptions {
  /** Unknown keys are errors. */
  readonly strict: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The addresses of the configuration are not used, so they may be anything. Default false. */
  readonly ignoreAddresses?: boolean | undefined;
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
  const { strict, env } = options;
  try {
    const validate = { validators: [createProxyValidator()] };
    const { config, warnings, locate } = await loadGatewayConfig(files, { strict, env, validate });
    const host = hostIssues(config, options.ignoreAddresses ?? false).map(locate);
    return host.length === 0 ? { config, issues: warnings } : { config: undefined, issues: [...warnings, ...host] };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { config: undefined, issues: [...error.issues, ...(await hostIssuesAlone(files, options))] };
  }
}

/**
 * Loads files for a proxy that checks routes and clusters itself. Rejects with `FilesMissingError`, or with a
 * `ConfigError` that holds what `inspectConfiguration` finds.
 */
export async function loadForHost(files: readonly string[], options: InspectOptions): Promise<GatewayConfig> {
  await requireFiles(files);
  const { strict, env } = options;
  try {
    const { config } = await loadGatewayConfig(files, { strict, env, validate: false });
    if (hostIssues(config, options.ignoreAddresses ?? false).length === 0) return config;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
  }
  const { config, issues } = await inspectConfiguration(files, options);
  // Undefined unless somebody mended the files in between.
  if (config === undefined) throw configErrorOf(issues);
  return config;
}

/** When only rules are broken the host's settings can still be read, and what is wrong with them belongs to the report. */
async function hostIssuesAlone(files: readonly string[], options: InspectOptions): Promise<readonly ConfigIssue[]> {
  const { strict, env } = options;
  try {
    const { config, locate } = await loadGatewayConfig(files, { strict, env, validate: false });
    return hostIssues(config, options.ignoreAddresses ?? false).map(locate);
  } catch (error) {
    if (error instanceof ConfigError) return [];
    throw error;
  }
}
