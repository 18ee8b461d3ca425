import { foldCase } from "./path-text.ts";

/** What header and query rules have in common once compiled. */
export interface ValueRule {
  /** Lower case. */
  readonly key: string;
  readonly mode: "exact" | "prefix" | "contains" | "not-contains" | "exists" | "not-exists";
  /** Folded when letter case is ignored. */
  readonly values: readonly string[];
  readonly ignoreCase: boolean;
}

/** `text` in the form in which it is compared with the rule's values. */
export function comparable(rule: ValueRule, text: string): string {
  return rule.ignoreCase ? foldCase(text) : text;
}

/** Whether `text` holds one of the rule's values. */
export function containsValue(rule: ValueRule, text: string): boolean {
  const compared = comparable(rule, text);
  for (const value of rule.values) if (compared.includes(value)) return true;
  return false;
}

/** Whether `text` is, or begins with, one of the rule's values. */
export function equalsValue(rule: ValueRule, text: string): boolean {
  const compared = comparable(rule, text);
  for (const value of rule.values) {
    if (rule.mode === "prefix" ? compared.startsWith(value) : compared === value) return true;
  }
  return false;
}
