import type { ConfigIssue } from "../config-issue.ts";
import { shorten } from "../config-issue.ts";
import type { ConfigNode, ConfigSource } from "./config-node.ts";
import type { SectionDecoder } from "./decode-section.ts";
import type { EntityKind } from "./issue-position.ts";
import { positionOf } from "./issue-position.ts";
import type { Report, ShapePath } from "./read-shape.ts";

/** What is wrong in the structure of one source, with where it stands. */
export class SourceIssues {
  /** Unknown keys are errors. */
  readonly strict: boolean;
  readonly #source: ConfigSource;
  readonly #issues = { route: [] as ConfigIssue[], cluster: [] as ConfigIssue[], other: [] as ConfigIssue[] };

  constructor(source: ConfigSource, strict: boolean) {
    this.#source = source;
    this.strict = strict;
  }

  /** Of routes, then of clusters, then the rest. */
  get all(): readonly ConfigIssue[] {
    const { route, cluster, other } = this.#issues;
    return [...route, ...cluster, ...other];
  }

  /** Decodes one route or cluster; its faults become issues of it. */
  decodeEntity<T>(kind: EntityKind, id: string, decoder: SectionDecoder<T>, node: ConfigNode): Partial<T> {
    const prefix = ["ReverseProxy", kind === "route" ? "Routes" : "Clusters", id];
    const { value, issues } = decoder.decode(node, prefix, this.report({ kind, id }));
    for (const issue of issues) {
      const name = issue.path.length === 0 ? "it" : issue.path.join(".");
      this.addOf(kind, id, issue.path, "error", "conversion", `${name} ${issue.message} (${kind} '${shorten(id)}')`, issue.hint);
    }
    return value;
  }

  /** Decodes a section that is no route and no cluster. */
  decodeSection<T>(decoder: SectionDecoder<T>, node: ConfigNode, prefix: ShapePath): Partial<T> {
    const { value, issues } = decoder.decode(node, prefix, this.report());
    for (const issue of issues) {
      const path = [...prefix, ...issue.path];
      this.add(path, "error", "conversion", `${path.join(".")} ${issue.message}`, issue.hint);
    }
    return value;
  }

  /** Where readers of a shape tell what they find; `entity`: whose shape it is. */
  report(entity?: { readonly kind: EntityKind; readonly id: string }): Report {
    return ({ code, path, key, message, hint }) => {
      const severity = code === "unknown-key" && !this.strict ? "warning" : "error";
      const prefixLength = entity === undefined ? 0 : 3;
      const owner = entity === undefined ? "" : ` (${entity.kind} '${shorten(entity.id)}')`;
      this.#issues[entity?.kind ?? "other"].push({
        code,
        severity,
        message: shorten(message) + owner,
        hint,
        entity,
        path: path.slice(prefixLength),
        ...positionOf(this.#source, path, key.keyOrigin),
        // Not the value of a key that nobody knows: it may be a secret.
        value: shorten(key.key),
      });
    };
  }

  /** `path` inside the entity. */
  addOf(kind: EntityKind, id: string, path: ShapePath, severity: ConfigIssue["severity"], code: string, message: string, hint?: string): void {
    const whole = ["ReverseProxy", kind === "route" ? "Routes" : "Clusters", id, ...path];
    this.#issues[kind].push({ code, severity, message, hint, entity: { kind, id }, path, ...positionOf(this.#source, whole) });
  }

  /** `path` from the root of the source. */
  add(path: ShapePath, severity: ConfigIssue["severity"], code: string, message: string, hint?: string): void {
    this.#issues.other.push({ code, severity, message, hint, path, ...positionOf(this.#source, path) });
  }
}
