/** One thing that is wrong with a configuration, said so that it can be found and mended. */
export interface ConfigIssue {
  /** A closed set of names; `docs/errors.md` has a row for each. */
  readonly code: string;
  readonly severity: "error" | "warning";
  /** Lower case, names the entity and the offending value, no trailing stop. */
  readonly message: string;
  /** What to do about it. */
  readonly hint?: string | undefined;
  /** The route or cluster concerned. */
  readonly entity?: { readonly kind: "route" | "cluster"; readonly id: string } | undefined;
  /** Path inside that entity (or the whole configuration), in the names of the configuration: `["Match", "Path"]`. */
  readonly path: readonly (string | number)[];
  /** The offending value, as text, shortened. */
  readonly value?: string | undefined;
  /** File, line and column (from 1) and JSON pointer; filled in where the configuration came from a file. */
  readonly source?: string | undefined;
  readonly line?: number | undefined;
  readonly column?: number | undefined;
  readonly pointer?: string | undefined;
}

/** A configuration that cannot be used; holds everything that is wrong with it. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly issues: readonly ConfigIssue[];

  constructor(message: string, issues: readonly ConfigIssue[], options?: ErrorOptions) {
    super(message, options);
    this.issues = issues;
  }
}
