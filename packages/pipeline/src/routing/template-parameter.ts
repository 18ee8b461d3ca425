import type { TemplateParameter } from "./route-template.ts";

/**
 * Parses what stands between the braces of a parameter: `[*|**]name[:constraint…][=default][?]`. Accepts
 * everything; whether the name is one is for the caller to say. A name may begin with `:` or `=`.
 */
export function parseParameter(text: string): TemplateParameter {
  const stars = text.startsWith("**") ? 2 : text.startsWith("*") ? 1 : 0;
  const optional = text.length > 0 && text.endsWith("?");
  const inner = text.slice(stars, optional ? Math.max(text.length - 1, stars) : text.length);
  let end = 1;
  while (end < inner.length && inner[end] !== ":" && inner[end] !== "=") end++;
  const constraints: string[] = [];
  const rest = parseConstraints(inner, Math.min(end, inner.length), constraints);
  return {
    kind: "parameter",
    name: inner.slice(0, end),
    catchAll: stars > 0,
    encodeSlashes: stars < 2,
    optional: optional && stars === 0,
    default: inner[rest] === "=" ? inner.slice(rest + 1) : undefined,
    constraints,
  };
}

/**
 * Reads constraints from `index` into `found` and returns where the default value begins, or the length. Between
 * parentheses `:` and `=` are plain as long as a `)` follows somewhere; a `)` ends a constraint only before
 * `:`, `=` or the end.
 */
function parseConstraints(text: string, index: number, found: string[]): number {
  let i = index;
  while (i < text.length && text[i] === ":") {
    const begin = i + 1;
    i = endOfConstraint(text, begin);
    if (i > begin) found.push(text.slice(begin, i));
  }
  return i;
}

function endOfConstraint(text: string, begin: number): number {
  let i = begin;
  while (i < text.length && text[i] !== ":" && text[i] !== "=" && text[i] !== "(") i++;
  if (text[i] !== "(") return i;
  for (i++; i < text.length; i++) {
    const character = text[i];
    if (character === ")") {
      const next = text[i + 1];
      if (next === undefined || next === ":" || next === "=") return i + 1;
    } else if (character === ":" || character === "=") {
      const close = text.indexOf(")", i + 1);
      if (close < 0) return i;
      i = close;
    }
  }
  return i;
}
