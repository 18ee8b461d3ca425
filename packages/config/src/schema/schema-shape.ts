/** The schemas as plain descriptions: what a reader, the JSON Schema and the reference need to know. */
import type * as Schema from "effect/Schema";
import type * as SchemaAST from "effect/SchemaAST";
import { configName } from "../define-config.ts";
import type { FieldInfo } from "./field.ts";
import type { ScalarInfo } from "./scalars.ts";

export type Shape =
  | { readonly kind: "scalar"; readonly info: ScalarInfo; readonly nullable: boolean }
  | { readonly kind: "list"; readonly item: Shape; readonly nullable: boolean }
  /** A map with the user's keys. */
  | { readonly kind: "record"; readonly value: Shape; readonly key: string; readonly nullable: boolean }
  /** A section with our keys; `open` ones ignore others. */
  | { readonly kind: "section"; readonly fields: ReadonlyMap<string, ShapeField>; readonly open: boolean; readonly nullable: boolean };

export interface ShapeField {
  /** The member in the model: `clusterId`. */
  readonly member: string;
  /** The key in files: `ClusterId`. */
  readonly key: string;
  readonly shape: Shape;
  readonly info: FieldInfo;
}

export type SectionShape = Extract<Shape, { readonly kind: "section" }>;

/** The description of a schema of this folder. Throws `TypeError` for any other kind of schema. */
export function shapeOf(schema: Schema.Top): Shape {
  return describe(schema.ast, false);
}

function describe(ast: SchemaAST.AST, nullable: boolean): Shape {
  const annotations = ast.annotations ?? {};
  const info = annotations["scalar"] as ScalarInfo | undefined;
  if (info !== undefined) return { kind: "scalar", info, nullable };
  if (ast._tag === "Union") {
    const inner = ast.types.find((type) => type._tag !== "Null");
    if (ast.types.length === 2 && inner !== undefined) return describe(inner, true);
  }
  if (ast._tag === "Arrays" && ast.rest[0] !== undefined) return { kind: "list", item: describe(ast.rest[0], false), nullable };
  if (ast._tag === "Objects") {
    const [index] = ast.indexSignatures;
    if (index !== undefined) {
      return { kind: "record", value: describe(index.type, false), key: String(annotations["recordKey"] ?? "name"), nullable };
    }
    const fields = ast.propertySignatures.map((property): [string, ShapeField] => {
      const member = String(property.name);
      const info = property.type.context?.annotations?.["field"] as FieldInfo;
      return [member.toLowerCase(), { member, key: configName(member), shape: describe(property.type, false), info }];
    });
    return { kind: "section", fields: new Map(fields), open: annotations["open"] === true, nullable };
  }
  throw new TypeError(`no shape for a schema of kind ${ast._tag}`);
}
