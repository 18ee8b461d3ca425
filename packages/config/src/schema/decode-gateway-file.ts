import type { ConfigIssue } from "../config-issue.ts";
import { configErrorOf, inOrder } from "../config-issue.ts";
import type { GatewayConfig } from "../gateway-config.ts";
import { checkSalvaged } from "../salvaged-config.ts";
import type { ValidateOptions } from "../validation/validate-config.ts";
import { validateConfig } from "../validation/validate-config.ts";
import type { ConfigSource } from "./config-node.ts";
import { decodeSource } from "./decode-source.ts";
import type { Environment } from "./environment.ts";
import { applyEnvironment } from "./environment.ts";
import { locateIn } from "./issue-position.ts";
import type { TextFormat } from "./parse-source.ts";
import { parseSource } from "./parse-source.ts";

export interface DecodeFileOptions {
  /** Unknown keys are errors. Default false: warnings. */
  readonly strict?: boolean | undefined;
  /** Where overrides are looked for (`process.env`). Default: none. */
  readonly env?: Environment | undefined;
  /**
   * What the semantic rules are checked with: further validators, policies that the application registers. `false`: structure
   * alone, as a provider does whose configuration a manager checks later. Default: the built-in rules.
   */
  readonly validate?: ValidateOptions | false | undefined;
  /**
   * What is wrong with the rest of the file (`Urls`, `Server`, `Logging`) beyond its structure; reported with all the others.
   * What could not be read is missing in what it is given.
   */
  readonly checkSettings?: ((config: GatewayConfig) => readonly ConfigIssue[]) | undefined;
}

/** A configuration that can be used, and what is odd about it. */
export interface LoadedGatewayConfig {
  readonly config: GatewayConfig;
  readonly warnings: readonly ConfigIssue[];
  /** Adds source, line, column and pointer to an issue about this configuration. */
  readonly locate: (issue: ConfigIssue) => ConfigIssue;
}

/**
 * The configuration in a text. Rejects with a `ConfigError` that holds everything that is wrong, in structure and meaning, each
 * with source, line, column and pointer; never with anything else, whatever the text.
 */
export async function decodeGatewayFile(
  text: string | Uint8Array,
  options: DecodeFileOptions & {
    /** Name of the file for messages. Default `configuration`. */
    readonly source?: string | undefined;
    /** Default `json`. */
    readonly format?: TextFormat | undefined;
  } = {},
): Promise<LoadedGatewayConfig> {
  return decodeTree(parseSource(text, options.source ?? "configuration", options.format ?? "json"), options);
}

/**
 * The configuration in a tree, which the environment's overrides are put into. Rejects with `ConfigError`. `unreadable` is what
 * is wrong with further sources, of which there is no tree: the rest is checked all the same.
 */
export async function decodeTree(
  source: ConfigSource,
  options: DecodeFileOptions,
  unreadable: readonly ConfigIssue[] = [],
): Promise<LoadedGatewayConfig> {
  // An override may concern what could not be read, and must not make something of its own then.
  if (unreadable.length === 0) applyEnvironment(source, options.env ?? {});
  const decoded = decodeSource(source, options);
  const { config } = decoded;
  const issues = [...unreadable, ...decoded.issues.filter(({ code }) => unreadable.length === 0 || code !== "section-missing")];
  const semantic = await semanticIssues(config, issues, options.validate ?? {});
  const settings = options.checkSettings?.(config) ?? [];
  const all = inOrder([...issues, ...[...semantic, ...settings].map((issue) => locateIn(source, issue))]);
  if (all.some((issue) => issue.severity === "error")) throw configErrorOf(all, { salvaged: config.reverseProxy });
  return { config, warnings: all, locate: (issue) => locateIn(source, issue) };
}

async function semanticIssues(
  config: GatewayConfig,
  faults: readonly ConfigIssue[],
  validate: ValidateOptions | false,
): Promise<readonly ConfigIssue[]> {
  if (validate === false) return [];
  if (faults.some((fault) => fault.severity === "error")) return checkSalvaged(config.reverseProxy, faults, [], validate);
  return validateConfig(config.reverseProxy, validate);
}
