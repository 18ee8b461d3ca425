import { matchComplexSegment } from "./complex-segment.ts";
import { splitPath } from "./path-segments.ts";
import type { PathSegments } from "./path-segments.ts";
import { decodePathText, decodePercent, encodePathText, foldCase } from "./path-text.ts";
import type { RouteTemplate, TemplateParameter, TemplateSegment } from "./route-template.ts";

/** What a path captured. Names ignore case. */
export interface RouteValues extends Iterable<readonly [name: string, value: string | null]> {
  /** Percent-decoded, except that `%2F` stays; undefined when absent or without a value (an empty catch-all). */
  get(name: string): string | undefined;
  /** The same as it stands in the path, percent-encoded: for paths that are built from it. */
  getRaw(name: string): string | undefined;
}

interface Captured {
  readonly name: string;
  /** Null: present without a value. */
  readonly raw: string | null;
}

/**
 * Matches `path` with `template`, constraints aside. Gives what the parameters captured, or undefined when the
 * path has another shape. Independent of how a table finds its routes.
 */
export function captureValues(template: RouteTemplate, path: string): RouteValues | undefined {
  const { segments } = template;
  const pieces: PathSegments = { count: 0, begins: [], ends: [] };
  splitPath(path, segments.length + 1, pieces);
  const captured = new Map<string, Captured>();
  for (const [i, segment] of segments.entries()) {
    const parameter = onlyParameter(segment);
    if (parameter?.catchAll === true) {
      const raw = i < pieces.count ? path.slice(pieces.begins[i]) : rawDefault(parameter);
      captured.set(parameter.name.toLowerCase(), { name: parameter.name, raw: raw ?? null });
      return new CapturedValues(captured);
    }
    if (i >= pieces.count) {
      if (parameter === undefined || (!parameter.optional && parameter.default === undefined)) return undefined;
      const raw = rawDefault(parameter);
      if (raw !== undefined) captured.set(parameter.name.toLowerCase(), { name: parameter.name, raw });
    } else if (!captureSegment(segment, path.slice(pieces.begins[i], pieces.ends[i]), captured)) {
      return undefined;
    }
  }
  return pieces.count > segments.length ? undefined : new CapturedValues(captured);
}

function captureSegment({ parts }: TemplateSegment, raw: string, captured: Map<string, Captured>): boolean {
  if (raw === "") return false;
  const [part] = parts;
  if (part !== undefined && parts.length === 1) {
    if (part.kind === "literal") return foldCase(part.text) === foldCase(decodePathText(raw));
    captured.set(part.name.toLowerCase(), { name: part.name, raw });
    return true;
  }
  const offsets: number[] = [];
  const text = decodePercent(raw, { keepSlash: true, plusIsBlank: false }, offsets);
  const found = matchComplexSegment(parts, text);
  if (found === undefined) return false;
  parts.forEach((one, i) => {
    const begin = found[i * 2] as number;
    if (one.kind !== "parameter" || begin < 0) return;
    const slice = raw.slice(offsets[begin], offsets[found[i * 2 + 1] as number]);
    captured.set(one.name.toLowerCase(), { name: one.name, raw: slice });
  });
  // An optional parameter behind a period cannot have a default; others have one only to be written.
  return true;
}

function onlyParameter({ parts }: TemplateSegment): TemplateParameter | undefined {
  const [part] = parts;
  return parts.length === 1 && part?.kind === "parameter" ? part : undefined;
}

function rawDefault(parameter: TemplateParameter): string | undefined {
  return parameter.default === undefined ? undefined : encodePathText(parameter.default, true);
}

class CapturedValues implements RouteValues {
  readonly #captured: ReadonlyMap<string, Captured>;

  constructor(captured: ReadonlyMap<string, Captured>) {
    this.#captured = captured;
  }

  get(name: string): string | undefined {
    const raw = this.getRaw(name);
    return raw === undefined ? undefined : decodePathText(raw);
  }

  getRaw(name: string): string | undefined {
    return this.#captured.get(name.toLowerCase())?.raw ?? undefined;
  }

  *[Symbol.iterator](): Iterator<readonly [name: string, value: string | null]> {
    for (const { name, raw } of this.#captured.values()) yield [name, raw === null ? null : decodePathText(raw)];
  }
}

/** Values that come from elsewhere than a path. `null` is present without a value. */
export function routeValuesOf(values: Iterable<readonly [name: string, value: string | null]>): RouteValues {
  const captured = new Map<string, Captured>();
  for (const [name, value] of values) {
    captured.set(name.toLowerCase(), { name, raw: value === null ? null : encodePathText(value, true) });
  }
  return new CapturedValues(captured);
}
