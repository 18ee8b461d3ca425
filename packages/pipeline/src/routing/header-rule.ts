/**
 * Header rules. A header that is missing, or is one empty line, is empty: it fails all modes but NotContains and
 * NotExists. Exact and prefix rules look at the elements of each line, the contains rules at whole lines.
 */
import type { HeaderMatchMode, RouteHeader } from "@proxy/config";
import { headerKey } from "@proxy/http";
import type { HeaderList } from "@proxy/http";
import { foldCase } from "./path-text.ts";
import { containsValue, equalsValue } from "./value-rule.ts";
import type { ValueRule } from "./value-rule.ts";

export interface HeaderRule extends ValueRule {
  /** What elements are separated by: `;` in Cookie, else `,`. */
  readonly separator: string;
  /** A value goes beyond ASCII: lines are read as UTF-8 before they are compared. */
  readonly unicode: boolean;
}

const modes: Readonly<Record<HeaderMatchMode, ValueRule["mode"]>> = {
  ExactHeader: "exact",
  HeaderPrefix: "prefix",
  Contains: "contains",
  NotContains: "not-contains",
  Exists: "exists",
  NotExists: "not-exists",
};

export function compileHeaderRule(header: RouteHeader): HeaderRule {
  const ignoreCase = header.isCaseSensitive !== true;
  const values = header.values ?? [];
  const key = headerKey(header.name);
  return {
    key,
    mode: modes[header.mode ?? "ExactHeader"],
    values: ignoreCase ? values.map(foldCase) : values,
    ignoreCase,
    separator: key === "cookie" ? ";" : ",",
    unicode: values.some((value) => /[^\x00-\x7f]/.test(value)),
  };
}

export function headerRuleHolds(rule: HeaderRule, headers: HeaderList): boolean {
  const first = headers.indexOf(rule.key);
  const empty = first < 0 || (headers.valueAt(first) === "" && headers.indexOf(rule.key, first + 1) < 0);
  switch (rule.mode) {
    case "exists":
      return !empty;
    case "not-exists":
      return empty;
    case "not-contains":
      return empty || !anyLine(rule, headers, first);
    default:
      return !empty && anyLine(rule, headers, first);
  }
}

function anyLine(rule: HeaderRule, headers: HeaderList, first: number): boolean {
  const elements = rule.mode === "exact" || rule.mode === "prefix";
  for (let i = first; i >= 0; i = headers.indexOf(rule.key, i + 1)) {
    const raw = headers.valueAt(i);
    const line = rule.unicode ? Buffer.from(raw, "latin1").toString("utf8") : raw;
    if (elements ? anyElement(rule, line) : containsValue(rule, line)) return true;
  }
  return false;
}

function anyElement(rule: HeaderRule, line: string): boolean {
  for (const element of elementsOf(line, rule.separator)) if (equalsValue(rule, element)) return true;
  return false;
}

/**
 * The elements of a line, as exact and prefix rules see them. They end at the separator, except inside double
 * quotes; a quote that is not closed takes the rest. Blanks before an element are not part of it, those after it
 * are; one pair of quotes around it is not.
 */
export function elementsOf(line: string, separator: string): readonly string[] {
  const elements: string[] = [];
  for (let begin = 0; begin < line.length; ) {
    while (line[begin] === " ") begin++;
    const end = elementEnd(line, begin, separator);
    const quoted = end - begin > 1 && line[begin] === '"' && line[end - 1] === '"';
    elements.push(quoted ? line.slice(begin + 1, end - 1) : line.slice(begin, end));
    begin = end + 1;
  }
  return elements;
}

function elementEnd(line: string, begin: number, separator: string): number {
  for (let i = begin; i < line.length; i++) {
    const character = line[i];
    if (character === separator) return i;
    if (character !== '"') continue;
    const close = line.indexOf('"', i + 1);
    if (close < 0) return line.length;
    i = close;
  }
  return line.length;
}
