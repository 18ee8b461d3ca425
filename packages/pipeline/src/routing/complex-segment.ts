/**
 * Segments of several parts, such as `{name}.{extension?}`: matched from the right, each parameter taking as
 * little as it can there, so the leftmost takes the rest. Every parameter needs at least one character.
 */
import { foldCase } from "./path-text.ts";
import type { TemplatePart } from "./route-template.ts";

/**
 * Matches one decoded segment. Gives for each part where it begins and ends (`[begin, end, begin, end, …]`, -1
 * for an optional parameter that is not there), or undefined.
 */
export function matchComplexSegment(parts: readonly TemplatePart[], text: string): number[] | undefined {
  const folded = foldCase(text);
  const last = parts.length - 1;
  const whole = matchFrom(parts, folded, last);
  if (whole !== undefined) return whole;
  const lastPart = parts[last];
  const separator = parts[last - 1];
  if (lastPart?.kind !== "parameter" || !lastPart.optional || separator?.kind !== "literal") return undefined;
  return folded.endsWith(separator.text) ? undefined : matchFrom(parts, folded, last - 2);
}

function matchFrom(parts: readonly TemplatePart[], text: string, lastPart: number): number[] | undefined {
  const found = parts.flatMap(() => [-1, -1]);
  let right = text.length;
  let pending = -1;
  for (let i = lastPart; i >= 0; i--) {
    const part = parts[i] as TemplatePart;
    if (part.kind === "parameter") {
      pending = i;
      continue;
    }
    const literal = foldCase(part.text);
    // A waiting parameter needs a character to the right of this literal.
    const limit = pending < 0 ? right : right - 1;
    const at = limit < literal.length ? -1 : text.lastIndexOf(literal, limit - literal.length);
    if (at < 0) return undefined;
    if (i === parts.length - 1 && at + literal.length !== text.length) return undefined;
    if (pending >= 0) {
      found[pending * 2] = at + literal.length;
      found[pending * 2 + 1] = right;
      pending = -1;
    }
    right = at;
  }
  if (pending >= 0) {
    if (right === 0) return undefined;
    found[pending * 2] = 0;
    found[pending * 2 + 1] = right;
    return found;
  }
  return right === 0 ? found : undefined;
}
