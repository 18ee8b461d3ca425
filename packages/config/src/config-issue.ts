import type { ProxyConfig } from "./proxy-config.ts";

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
  /** Errors and warnings, routes before clusters; at least one error. */
  readonly issues: readonly ConfigIssue[];
  /** What could be read in spite of the errors, so that the rest can be checked too. Never to be applied. */
  readonly salvaged: ProxyConfig | undefined;

  constructor(
    message: string,
    issues: readonly ConfigIssue[],
    options?: ErrorOptions & { readonly salvaged?: ProxyConfig | undefined },
  ) {
    super(message, options);
    this.issues = issues;
    this.salvaged = options?.salvaged;
  }
}

/** The configuration error for `issues`, in order: its message counts the errors and cites the first ones. */
export function configErrorOf(
  issues: readonly ConfigIssue[],
  options?: ErrorOptions & { readonly salvaged?: ProxyConfig | undefined },
): ConfigError {
  const errors = inOrder(issues).filter((issue) => issue.severity === "error");
  const cited = errors.slice(0, 3).map((issue) => formatIssue(issue).split("\n", 1)[0]);
  const rest = errors.length > cited.length ? `; and ${errors.length - cited.length} more` : "";
  const count = errors.length === 1 ? "one error" : `${errors.length} errors`;
  return new ConfigError(`the configuration has ${count}: ${cited.join("; ")}${rest}`, inOrder(issues), options);
}

/** Issues of routes, then of clusters, then the rest, as people read a configuration; otherwise in the order in which they came. */
export function inOrder(issues: readonly ConfigIssue[]): readonly ConfigIssue[] {
  const rank = (issue: ConfigIssue): number => (issue.entity === undefined ? 2 : issue.entity.kind === "route" ? 0 : 1);
  return issues.toSorted((a, b) => rank(a) - rank(b));
}

/** One issue as text for people: `file:line:column error code: message`, and the hint on a second line. */
export function formatIssue(issue: ConfigIssue): string {
  const place = issue.source ?? (issue.entity === undefined ? "configuration" : `${issue.entity.kind} ${printable(issue.entity.id)}`);
  const position = issue.line === undefined ? "" : `:${issue.line}:${issue.column ?? 1}`;
  const head = `${printable(place)}${position} ${issue.severity} ${issue.code}: ${printable(issue.message)}`;
  return issue.hint === undefined ? head : `${head}\n  hint: ${printable(issue.hint)}`;
}

/** `text` on one line: control characters (also the C1 ones and line separators) become `\\uXXXX`. */
export function printable(text: string): string {
  return text.replaceAll(
      /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** `text` for a message or an issue's value: printable, at most 120 characters. */
export function shorten(text: string): string {
  const shown = printable(text);
  return shown.length <= 120 ? shown : `${shown.slice(0, 117)}...`;
}
