/**
 * From a source's tree to the value that a schema decodes: keys in the model's spelling, everything scalar as text, lists where
 * lists are expected, what is null or empty left out. Reports keys that nobody knows and keys that stand twice.
 */
import type { ConfigMember, ConfigNode, ObjectNode } from "./config-node.ts";
import { itemsOf } from "./config-node.ts";
import type { SectionShape, Shape } from "./schema-shape.ts";
import { suggest } from "../suggest.ts";

/** A value for a schema: null-prototype objects, lists, texts, null. */
export type Plain = string | null | PlainObject | Plain[];
export interface PlainObject {
  [key: string]: Plain;
}

export type ShapePath = readonly (string | number)[];

export interface ShapeIssue {
  readonly code: "unknown-key" | "duplicate-key" | "key-forbidden" | "too-many-items";
  /** In the spelling of the configuration. */
  readonly path: ShapePath;
  readonly key: ConfigMember;
  readonly message: string;
  readonly hint?: string | undefined;
}

export type Report = (issue: ShapeIssue) => void;

/** An object that no key can turn into something else: `__proto__` is a key like any other. */
export function plainObject(): PlainObject {
  return Object.create(null) as PlainObject;
}

/** `undefined`: nothing is there. */
export function readShape(node: ConfigNode, shape: Shape, path: ShapePath, report: Report): Plain | undefined {
  if (node.kind === "scalar" && node.type === "null") return shape.nullable ? null : undefined;
  switch (shape.kind) {
    case "scalar":
      return readScalar(node, shape);
    case "list":
      return readList(node, shape, path, report);
    case "record":
      return readRecord(node, shape, path, report);
    case "section":
      return readSection(node, shape, path, report);
  }
}

function readScalar(node: ConfigNode, shape: Extract<Shape, { readonly kind: "scalar" }>): Plain | undefined {
  // A list or object where text belongs: the schema refuses it.
  if (node.kind !== "scalar") return node.kind === "array" ? [] : plainObject();
  if (node.text === "" && shape.info.emptyIsUnset === true) return undefined;
  return node.type === "milliseconds" && shape.info.isDuration === true ? `${node.text}ms` : node.text;
}

function readList(node: ConfigNode, shape: Extract<Shape, { readonly kind: "list" }>, path: ShapePath, report: Report): Plain | undefined {
  if (node.kind === "object" && shape.item.kind !== "scalar" && !hasOnlyIndexes(node)) return plainObject();
  if (node.kind === "scalar" && shape.item.kind !== "scalar") return node.text;
  const items = shape.item.kind === "scalar" && shape.item.info.isFlag === true ? itemsOf(node).flatMap(flagsOf) : itemsOf(node);
  const list = items.map((item, index) => {
    if (item.kind === "scalar" && item.type === "null") {
      // Null stands for a text that is empty, a map without keys; a rule that is null has its own error.
      return shape.item.nullable ? null : shape.item.kind === "scalar" ? "" : plainObject();
    }
    return readShape(item, shape.item, [...path, index], report) ?? plainObject();
  });
  return list.length === 0 ? undefined : list;
}

function flagsOf(node: ConfigNode): readonly ConfigNode[] {
  if (node.kind !== "scalar" || !node.text.includes(",")) return [node];
  return node.text.split(",").map((text) => ({ ...node, text: text.trim() }));
}

/** As .NET writes lists: `{ "0": …, "1": … }`; so do environment variables. */
function hasOnlyIndexes(node: ObjectNode): boolean {
  return node.members.every(({ key }) => /^\d{1,6}$/.test(key));
}

function readRecord(node: ConfigNode, shape: Extract<Shape, { readonly kind: "record" }>, path: ShapePath, report: Report): Plain | undefined {
  if (node.kind !== "object") return emptyAsNothing(node);
  const result = plainObject();
  for (const member of distinct(node, path, report)) {
    const isNull = member.value.kind === "scalar" && member.value.type === "null";
    const empty = shape.value.kind === "scalar" ? "" : plainObject();
    result[member.key] = isNull ? empty : (readShape(member.value, shape.value, [...path, member.key], report) ?? empty);
  }
  return result;
}

/** In .NET an empty list and an empty text are no section at all. */
function emptyAsNothing(node: ConfigNode): Plain | undefined {
  if (node.kind === "scalar") return node.text === "" ? undefined : node.text;
  if (node.kind === "array") return node.items.length === 0 ? undefined : [];
  return plainObject();
}

function readSection(node: ConfigNode, shape: SectionShape, path: ShapePath, report: Report): Plain | undefined {
  if (node.kind !== "object") return emptyAsNothing(node);
  const result = plainObject();
  for (const member of distinct(node, path, report)) {
    const field = shape.fields.get(member.key.toLowerCase());
    if (field === undefined) {
      if (!shape.open) reportUnknown(member, shape, path, report);
      continue;
    }
    const isKept = field.info.keepsEmpty === true && isEmptyList(member.value, field.shape);
    const value = isKept ? [] : readShape(member.value, field.shape, [...path, field.key], report);
    if (value !== undefined && (field.info.keepsEmpty === true || !isEmptyObject(value, field.shape))) result[field.member] = value;
  }
  return result;
}

function isEmptyList(node: ConfigNode, shape: Shape): boolean {
  return shape.kind === "list" && node.kind === "array" && node.items.length === 0;
}

function isEmptyObject(value: Plain, shape: Shape): boolean {
  if (shape.kind !== "section" && shape.kind !== "record") return false;
  return typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length === 0;
}

function reportUnknown(member: ConfigMember, shape: SectionShape, path: ShapePath, report: Report): void {
  const keys = [...shape.fields.values()].map((field) => field.key);
  const meant = suggest(member.key, keys);
  report({
    code: "unknown-key",
    path: [...path, member.key],
    key: member,
    message: `the key '${member.key}' is not known here`,
    hint: meant === undefined ? `known are ${keys.join(", ")}` : `did you mean ${meant}?`,
  });
}

/** Members whose keys differ by more than case. */
export function distinct(node: ObjectNode, path: ShapePath, report: Report): readonly ConfigMember[] {
  const seen = new Map<string, ConfigMember>();
  for (const member of node.members) {
    const lower = member.key.toLowerCase();
    const first = seen.get(lower);
    if (lower === "__proto__") {
      report({ code: "key-forbidden", path: [...path, member.key], key: member, message: "the key '__proto__' is not allowed" });
    } else if (first !== undefined) {
      const spelling = first.key === member.key ? "" : ` ('${first.key}' is the same: case does not matter)`;
      report({ code: "duplicate-key", path: [...path, member.key], key: member, message: `the key '${member.key}' stands twice${spelling}` });
    } else seen.set(lower, member);
  }
  return [...seen.values()];
}
