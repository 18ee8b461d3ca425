import { normalizePath } from "@proxy/http";
import { RE2JS } from "re2js";
import { decodePercent } from "../routing/path-text.ts";
import { encodePath, withLeadingSlash } from "./path-text.ts";
import type { TransformSettings } from "./transform-settings.ts";
import type { TransformFactory } from "./transform.ts";

/** Text of the replacement, or the number of a group. */
type Piece = string | number;

/**
 * `PathRegex: <expression>` with `Replace: <text>` replaces the first match in the decoded path (`%2F` stays encoded); `$1`
 * is a group and `$$` a dollar. What was matched and what was not keep their encoding. Expressions are RE2's: their time is
 * linear in the path's length, and there is no look-around and no back-reference.
 */
export const pathRegex: TransformFactory = {
  key: "PathRegex",
  build(settings, plan) {
    const replace = settings.get("Replace");
    if (replace === undefined) {
      settings.report("missing-replace", "transform 'PathRegex' needs Replace");
      return;
    }
    if (!settings.only("Replace")) return;
    const expression = compiled(settings);
    if (expression === undefined) return;
    const pieces = piecesOf(settings, replace, expression.groupCount());
    if (pieces === undefined) return;
    plan.request.push((outgoing) => {
      const raw = outgoing.path;
      // The target of `OPTIONS *` is no path.
      if (raw === "*") return;
      const offsets: number[] = [];
      const matcher = expression.matcher(decodePercent(raw, { keepSlash: true, plusIsBlank: false }, offsets));
      if (!matcher.find()) return;
      const rawSlice = (from: number, to: number): string => (from < 0 ? "" : raw.slice(offsets[from], offsets[to]));
      let path = raw.slice(0, offsets[matcher.start()]);
      for (const piece of pieces) path += typeof piece === "string" ? piece : rawSlice(matcher.start(piece), matcher.end(piece));
      path = withLeadingSlash(path + raw.slice(offsets[matcher.end()]));
      // A group may hold `..`: put elsewhere, it would lead out of what the replacement means.
      if (normalizePath(path) !== path) throw new Error("the replacement makes a path with dot segments");
      outgoing.path = path;
    });
  },
};

function compiled(settings: TransformSettings): RE2JS | undefined {
  try {
    return RE2JS.compile(settings.value);
  } catch (error) {
    settings.report(
      "bad-path-regex",
      `transform 'PathRegex' has an expression that is not supported: ${error instanceof Error ? error.message : String(error)}`,
      "expressions run in linear time (RE2): no look-around, no back-references",
    );
    return undefined;
  }
}

function piecesOf(settings: TransformSettings, replace: string, groups: number): readonly Piece[] | undefined {
  const pieces: Piece[] = [];
  for (const [token] of replace.matchAll(/\$\$|\$\d|[^$]+|\$/g)) {
    if (token === "$$") pieces.push("$");
    else if (!token.startsWith("$")) pieces.push(encodePath(token));
    else if (token.length === 2 && Number(token[1]) <= groups) pieces.push(Number(token[1]));
    else {
      settings.report("bad-path-regex", `transform 'PathRegex' has no group '${token}' to put into Replace`);
      return undefined;
    }
  }
  return pieces;
}
