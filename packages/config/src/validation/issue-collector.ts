import type { ConfigIssue } from "../config-issue.ts";
import { shorten } from "../config-issue.ts";

export type IssuePath = readonly (string | number)[];

export interface IssueDetails {
  readonly hint?: string | undefined;
  readonly value?: unknown;
}

/** Collects the issues of one route or cluster; messages name it at their end. */
export class IssueCollector {
  readonly issues: ConfigIssue[] = [];
  readonly #entity: ConfigIssue["entity"];
  readonly #owner: string;

  constructor(kind: "route" | "cluster", id: string | undefined) {
    this.#entity = { kind, id: id ?? "" };
    this.#owner = ` (${kind} '${shorten(id ?? "")}')`;
  }

  error(code: string, path: IssuePath, message: string, details: IssueDetails = {}): void {
    this.#add("error", code, path, message, details);
  }

  warn(code: string, path: IssuePath, message: string, details: IssueDetails = {}): void {
    this.#add("warning", code, path, message, details);
  }

  #add(severity: "error" | "warning", code: string, path: IssuePath, message: string, details: IssueDetails): void {
    this.issues.push({
      code,
      severity,
      message: message + this.#owner,
      hint: details.hint,
      entity: this.#entity,
      path,
      value: details.value === undefined ? undefined : quoted(details.value),
    });
  }
}

/** A value for a message: shortened, on one line. */
export function quoted(value: unknown): string {
  return shorten(typeof value === "string" ? value : String(value));
}
