/** Decoding one section by its schema: everything that fails is reported, the rest is kept. */
import * as Result from "effect/Result";
import * as Schema from "effect/Schema";
import * as SchemaIssue from "effect/SchemaIssue";
import type { Plain, PlainObject, Report, ShapePath } from "./read-shape.ts";
import { plainObject, readShape } from "./read-shape.ts";
import type { ConfigNode } from "./config-node.ts";
import type { SectionShape, Shape } from "./schema-shape.ts";
import { shapeOf } from "./schema-shape.ts";

export interface ConversionIssue {
  /** In the spelling of the configuration, inside the section. */
  readonly path: ShapePath;
  readonly message: string;
  readonly hint: string | undefined;
}

export interface DecodedSection<T> {
  /** What could be decoded; members that could not are missing. */
  readonly value: T;
  readonly issues: readonly ConversionIssue[];
}

export interface SectionDecoder<T> {
  readonly shape: SectionShape;
  decode(node: ConfigNode, path: ShapePath, report: Report): DecodedSection<Partial<T>>;
}

const format = SchemaIssue.makeFormatterStandardSchemaV1();

/** A decoder for a struct of optional members. */
export function sectionDecoder<T>(schema: Schema.Codec<T, unknown>): SectionDecoder<T> {
  const shape = shapeOf(schema);
  if (shape.kind !== "section") throw new TypeError("a section's schema is a struct");
  const decode = Schema.decodeUnknownResult(schema, { errors: "all" });
  return {
    shape,
    decode(node, path, report) {
      const plain = readShape(node, shape, path, report) ?? plainObject();
      if (typeof plain !== "object" || plain === null || Array.isArray(plain)) {
        return { value: {}, issues: [{ path: [], message: "must be an object", hint: undefined }] };
      }
      const issues: ConversionIssue[] = [];
      // Each round removes what failed, so that the rest can be checked too. The second one normally succeeds.
      for (let round = 0; round < 4; round++) {
        const result = decode(plain);
        if (Result.isSuccess(result)) return { value: result.success, issues };
        for (const issue of issuesOf(result.failure)) {
          issues.push(describeIssue(issue, shape));
          remove(plain, issue.path);
        }
      }
      return { value: {}, issues };
    },
  };
}

interface RawIssue {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

function issuesOf(failure: unknown): readonly RawIssue[] {
  const issue = (failure as { readonly issue?: SchemaIssue.Issue }).issue ?? (failure as SchemaIssue.Issue);
  return format(issue).issues.map(({ path = [], message }) => ({
    path: path.map((part) => {
      const key = typeof part === "object" ? part.key : part;
      return typeof key === "symbol" ? String(key) : key;
    }),
    message,
  }));
}

function describeIssue(issue: RawIssue, section: SectionShape): ConversionIssue {
  const path: (string | number)[] = [];
  let shape: Shape | undefined = section;
  for (const part of issue.path) {
    if (shape?.kind === "section") {
      const field = shape.fields.get(String(part).toLowerCase());
      path.push(field?.key ?? part);
      shape = field?.shape;
    } else {
      path.push(part);
      shape = shape?.kind === "list" ? shape.item : shape?.kind === "record" ? shape.value : undefined;
    }
  }
  // Messages of the scalars are ours; those about structure speak of the schema's inside.
  const message = issue.message.startsWith("must be") ? issue.message : `must be ${expectedOf(shape)}`;
  return { path, message, hint: shape?.kind === "scalar" ? shape.info.hint : undefined };
}

function expectedOf(shape: Shape | undefined): string {
  if (shape === undefined) return "something else";
  if (shape.kind === "scalar") return shape.info.expected;
  return shape.kind === "list" ? "a list" : "an object";
}

/** Takes the value at `path` out; an item of a list takes the list with it, since positions must stay. */
function remove(root: PlainObject, path: readonly (string | number)[]): void {
  let depth = path.length;
  while (depth > 0 && typeof path[depth - 1] === "number") depth -= 1;
  if (depth === 0) return;
  let holder: Plain | undefined = root;
  for (const part of path.slice(0, depth - 1)) {
    if (typeof holder !== "object" || holder === null) return;
    holder = Array.isArray(holder) ? holder[Number(part)] : holder[String(part)];
  }
  if (typeof holder === "object" && holder !== null && !Array.isArray(holder)) delete holder[String(path[depth - 1])];
}
