import { ConfigError } from "../config-issue.ts";
import type { ConfigSource } from "./config-node.ts";
import { maxBytes, maxYamlBytes } from "./config-node.ts";
import { parseJson } from "./parse-json.ts";
import { parseYaml } from "./parse-yaml.ts";
import { fatal, readText } from "./read-text.ts";

/** What a source is written in. JSON may have comments and trailing commas. */
export type TextFormat = "json" | "yaml";

/** The tree of a JSON or YAML text. Throws `ConfigError`, never anything else. */
export function parseSource(input: string | Uint8Array, source: string, format: TextFormat): ConfigSource {
  const text = readText(input, source, format === "yaml" ? maxYamlBytes : maxBytes);
  try {
    return format === "yaml" ? parseYaml(text, source) : parseJson(text, source);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    // A parser that gives up on its own terms, a stack overflow for one, still means that this is no configuration.
    throw fatal(source, "syntax", `the file cannot be parsed as ${format.toUpperCase()}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
