import type { ConfigIssue } from "../config-issue.ts";
import type { ConfigSource, Origin } from "./config-node.ts";

const lineStarts = new WeakMap<ConfigSource, readonly number[]>();

/** Source, line and column (from 1) of `origin`, as members of an issue. */
export function positionIn(source: ConfigSource, origin: Origin): Pick<ConfigIssue, "source" | "line" | "column"> {
  if (typeof origin === "object") return positionIn(origin.source, origin.at);
  if (typeof origin === "string") return { source: `environment variable ${origin}` };
  if (origin === undefined || source.text === undefined) return { source: source.name };
  let starts = lineStarts.get(source);
  if (starts === undefined) {
    starts = startsOfLines(source.text);
    lineStarts.set(source, starts);
  }
  return { source: source.name, ...lineAndColumn(starts, origin) };
}

/** The same for a text that could not be parsed. */
export function positionInText(text: string, offset: number): { readonly line: number; readonly column: number } {
  return lineAndColumn(startsOfLines(text), offset);
}

function startsOfLines(text: string): readonly number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

function lineAndColumn(starts: readonly number[], offset: number): { readonly line: number; readonly column: number } {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
}
