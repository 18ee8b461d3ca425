import { ConfigError } from "@proxy/config";
import type { ConfigIssue, GatewayConfig } from "@proxy/config";
import { fileProvider, loadGatewayConfig } from "@proxy/config/schema";
import { createProxyValidator } from "@proxy/pipeline";
import { requireFiles } from "./files-missing.ts";
import { addressIssues } from "./host-settings.ts";

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
 * addresses to listen on. Opens and connects to nothing. Rejects with `FilesMissingError`.
 */
export async function inspectConfiguration(
  files: readonly string[],
  { strict, env, ignoreAddresses = false }: InspectOptions,
): Promise<InspectedConfiguration> {
  await requireFiles(files);
  try {
    const options = { strict, env, validate: { validators: [createProxyValidator()] } };
    const { config, warnings } = await loadGatewayConfig(files, options);
    const addresses = ignoreAddresses ? [] : await locate(files, addressIssues(config));
    return addresses.length === 0
      ? { config, issues: warnings }
      : { config: undefined, issues: [...warnings, ...addresses] };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const addresses = ignoreAddresses ? [] : await addressIssuesAlone(files, { strict, env });
    return { config: undefined, issues: [...error.issues, ...addresses] };
  }
}

/** When only rules are broken the addresses can still be read, and what is wrong with them belongs into the same report. */
async function addressIssuesAlone(files: readonly string[], options: InspectOptions): Promise<readonly ConfigIssue[]> {
  try {
    const { config } = await loadGatewayConfig(files, { ...options, validate: false });
    return await locate(files, addressIssues(config));
  } catch (error) {
    if (error instanceof ConfigError) return [];
    throw error;
  }
}

async function locate(files: readonly string[], issues: readonly ConfigIssue[]): Promise<readonly ConfigIssue[]> {
  if (issues.length === 0) return issues;
  const provider = fileProvider(files);
  try {
    await provider.load();
    return issues.map((issue) => provider.locate?.(issue) ?? issue);
  } finally {
    await provider.close?.();
  }
}
