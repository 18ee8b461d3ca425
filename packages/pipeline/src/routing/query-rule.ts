/** Query rules: like header rules, on decoded values, without elements. Any of several values may match. */
import type { QueryParameterMatchMode, RouteQueryParameter } from "@proxy/config";
import { decodePercent, foldCase } from "./path-text.ts";
import { containsValue, equalsValue } from "./value-rule.ts";
import type { ValueRule } from "./value-rule.ts";

const modes: Readonly<Record<QueryParameterMatchMode, ValueRule["mode"]>> = {
  Exact: "exact",
  Prefix: "prefix",
  Contains: "contains",
  NotContains: "not-contains",
  Exists: "exists",
};

/** Decoded values by name, names folded. */
export type QueryValues = ReadonlyMap<string, readonly string[]>;

export function compileQueryRule(parameter: RouteQueryParameter): ValueRule {
  const ignoreCase = parameter.isCaseSensitive !== true;
  const values = parameter.values ?? [];
  return {
    key: foldCase(parameter.name),
    mode: modes[parameter.mode ?? "Exact"],
    values: ignoreCase ? values.map(foldCase) : values,
    ignoreCase,
  };
}

export function queryRuleHolds(rule: ValueRule, query: QueryValues): boolean {
  const values = query.get(rule.key);
  const empty = values === undefined || (values.length === 1 && values[0] === "");
  if (rule.mode === "exists") return !empty;
  if (empty) return rule.mode === "not-contains";
  if (rule.mode === "contains") return values.some((value) => containsValue(rule, value));
  if (rule.mode === "not-contains") return !values.some((value) => containsValue(rule, value));
  return values.some((value) => equalsValue(rule, value));
}

/** Parses a raw query, with or without its `?`. What does not decode stays as it is. */
export function parseQuery(query: string): QueryValues {
  const values = new Map<string, string[]>();
  let begin = query.startsWith("?") ? 1 : 0;
  while (begin < query.length) {
    let end = query.indexOf("&", begin);
    if (end < 0) end = query.length;
    if (end > begin) {
      const equals = query.indexOf("=", begin);
      const named = equals >= 0 && equals < end;
      const name = foldCase(decode(query.slice(begin, named ? equals : end)));
      const value = named ? decode(query.slice(equals + 1, end)) : "";
      const known = values.get(name);
      if (known === undefined) values.set(name, [value]);
      else known.push(value);
    }
    begin = end + 1;
  }
  return values;
}

function decode(text: string): string {
  return text.includes("%") || text.includes("+") ? decodePercent(text, { keepSlash: false, plusIsBlank: true }) : text;
}
