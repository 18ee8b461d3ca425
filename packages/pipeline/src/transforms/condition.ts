/**
 * `If`: when a transform applies. Clauses joined by `and`, each may begin with `not`:
 *
 *     method GET,HEAD      header X-Canary      header X-Canary = 1      query debug = "on"      status 404,500-599
 *
 * They are asked of the request as the client sent it, and of the status that the client gets.
 */
import { headerKey, isHeaderName, isMethod, type RequestHead } from "@proxy/http";
import { decodePercent, type DecodeOptions } from "../routing/path-text.ts";
import { standardCase } from "./method.ts";
import type { TransformSettings } from "./transform-settings.ts";

/** `status` is undefined while there is no response. */
export type Clause = (request: RequestHead, status: number | undefined) => boolean;

export interface Condition {
  readonly holds: Clause;
  /** Whether it can be told only once there is a response. */
  readonly needsStatus: boolean;
}

const queryDecoding: DecodeOptions = { keepSlash: false, plusIsBlank: true };

/** Reads the text of `If`; reports what it does not understand. */
export function parseCondition(settings: TransformSettings, text: string): Condition | undefined {
  const tokens = text.match(/"[^"]*"?|=|[^\s="]+/g) ?? [];
  const clauses: Clause[] = [];
  let needsStatus = false;
  for (let i = 0; ; i++) {
    const end = indexOfAnd(tokens, i);
    const words = tokens.slice(i, end);
    const negated = words[0]?.toLowerCase() === "not";
    const [kind = "", ...rest] = negated ? words.slice(1) : words;
    const clause = clauseOf(kind.toLowerCase(), rest);
    if (clause === undefined) {
      settings.report(
        "bad-if",
        `If of transform '${settings.form}' is not understood: '${text}'`,
        "clauses are: method GET,HEAD; header NAME [= VALUE]; query NAME [= VALUE]; status 404,500-599; joined by 'and', each may begin with 'not'",
      );
      return undefined;
    }
    needsStatus ||= kind.toLowerCase() === "status";
    clauses.push(negated ? (request, status) => !clause(request, status) : clause);
    if (end === tokens.length) break;
    i = end;
  }
  const [only] = clauses;
  const holds = clauses.length === 1 && only !== undefined ? only : all(clauses);
  return { holds, needsStatus };
}

function all(clauses: readonly Clause[]): Clause {
  return (request, status) => {
    for (const clause of clauses) if (!clause(request, status)) return false;
    return true;
  };
}

function indexOfAnd(tokens: readonly string[], from: number): number {
  const index = tokens.findIndex((token, i) => i >= from && token.toLowerCase() === "and");
  return index < 0 ? tokens.length : index;
}

function clauseOf(kind: string, words: readonly string[]): Clause | undefined {
  const [name = "", equals, value, ...surplus] = words;
  if (name === "" || surplus.length > 0 || words.some(isOpen)) return undefined;
  if (kind === "method" || kind === "status") {
    if (equals !== undefined) return undefined;
    return kind === "method" ? methodClause(name) : statusClause(name);
  }
  if ((equals !== undefined && equals !== "=") || (equals === "=" && value === undefined)) return undefined;
  const wanted = value === undefined ? undefined : unquoted(value);
  if (kind === "header") return headerClause(unquoted(name), wanted);
  return kind === "query" ? queryClause(unquoted(name), wanted) : undefined;
}

function methodClause(list: string): Clause | undefined {
  const methods = new Set(list.split(",").map(standardCase));
  for (const method of methods) if (!isMethod(method)) return undefined;
  return (request) => methods.has(request.method);
}

function statusClause(list: string): Clause | undefined {
  const ranges: (readonly [low: number, high: number])[] = [];
  for (const part of list.split(",")) {
    const match = /^([1-9]\d\d)(?:-([1-9]\d\d))?$/.exec(part);
    if (match === null) return undefined;
    const [low, high] = [Number(match[1]), Number(match[2] ?? match[1])];
    if (low > high) return undefined;
    ranges.push([low, high]);
  }
  return (_request, status) => status !== undefined && ranges.some(([low, high]) => status >= low && status <= high);
}

function headerClause(name: string, value: string | undefined): Clause | undefined {
  if (!isHeaderName(name)) return undefined;
  const key = headerKey(name);
  if (value === undefined) return ({ headers }) => headers.has(key);
  return ({ headers }) => {
    for (let i = headers.indexOf(key); i >= 0; i = headers.indexOf(key, i + 1)) if (headers.valueAt(i) === value) return true;
    return false;
  };
}

function queryClause(name: string, value: string | undefined): Clause {
  const key = name.toLowerCase();
  return ({ query }) => {
    if (query.length < 2) return false;
    for (const parameter of query.slice(1).split("&")) {
      const equals = parameter.indexOf("=");
      const called = decodePercent(equals < 0 ? parameter : parameter.slice(0, equals), queryDecoding);
      if (parameter === "" || called.toLowerCase() !== key) continue;
      if (value === undefined || decodePercent(equals < 0 ? "" : parameter.slice(equals + 1), queryDecoding) === value) return true;
    }
    return false;
  };
}

/** Whether a quote begins in it that does not end. */
function isOpen(word: string): boolean {
  return word.startsWith('"') && (word.length === 1 || !word.endsWith('"'));
}

function unquoted(text: string): string {
  return text.startsWith('"') ? text.slice(1, -1) : text;
}
