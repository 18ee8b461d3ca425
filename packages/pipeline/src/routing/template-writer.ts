import { encodePathText } from "./path-text.ts";
import type { RouteTemplate, TemplateParameter, TemplateSegment } from "./route-template.ts";
import type { RouteValues } from "./route-values.ts";

/**
 * Builds a path from `template` and `values`: percent-encoded, beginning with `/`. What the values hold encoded
 * stays as it is; `/` in a value is encoded, except for `{**name}`. Constraints are not asked.
 *
 * A segment without a value drops out, and so do defaults at the end. Undefined when that cannot be: something
 * follows a segment that dropped out, or the missing value is one part of a segment (other than an optional one
 * behind its period).
 */
export function writeTemplate(template: RouteTemplate, values: RouteValues): string | undefined {
  let path = "";
  let waiting = "";
  let dropped = false;
  for (const segment of template.segments) {
    const parameter = onlyParameter(segment);
    const text = parameter === undefined ? writeParts(segment, values) : (valueOf(parameter, values) ?? "");
    if (text === undefined) return undefined;
    if (text === "") {
      dropped = true;
      continue;
    }
    if (dropped) return undefined;
    waiting += `/${text}`;
    if (parameter !== undefined && text === defaultOf(parameter)) continue;
    path += waiting;
    waiting = "";
  }
  return path === "" ? "/" : path;
}

function writeParts({ parts }: TemplateSegment, values: RouteValues): string | undefined {
  let text = "";
  for (const [i, part] of parts.entries()) {
    if (part.kind === "literal") {
      const next = parts[i + 1];
      const omitted = part.optionalSeparator && next?.kind === "parameter" && valueOf(next, values) === undefined;
      if (!omitted) text += encodePathText(part.text, false);
      continue;
    }
    const value = valueOf(part, values);
    if (value !== undefined) text += value;
    else if (!part.optional) return undefined;
  }
  return text;
}

function onlyParameter({ parts }: TemplateSegment): TemplateParameter | undefined {
  const [part] = parts;
  return parts.length === 1 && part?.kind === "parameter" ? part : undefined;
}

function valueOf(parameter: TemplateParameter, values: RouteValues): string | undefined {
  const raw = values.getRaw(parameter.name);
  if (raw === undefined || raw === "") return defaultOf(parameter);
  return parameter.encodeSlashes ? raw.replaceAll("/", "%2F") : raw;
}

function defaultOf(parameter: TemplateParameter): string | undefined {
  const text = parameter.default;
  return text === undefined || text === "" ? undefined : encodePathText(text, !parameter.encodeSlashes);
}
