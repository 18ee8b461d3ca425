import { GatewayFile } from "./gateway-schema.ts";
import type { Shape, ShapeField } from "./schema-shape.ts";
import { shapeOf } from "./schema-shape.ts";

/** A JSON Schema as plain data. */
export type JsonSchema = Readonly<Record<string, unknown>>;

export interface JsonSchemaOptions {
  /** The schema of one of `Transforms`, whose forms this package does not know. Default: a map of names to text. */
  readonly transform?: JsonSchema | undefined;
}

/**
 * The JSON Schema (draft-07, which editors know best) of a gateway's configuration file, for completion and hints while typing.
 * It shows keys and names in their canonical spelling; the gateway itself ignores case and takes numbers and booleans as text.
 */
export function generateJsonSchema(options: JsonSchemaOptions = {}): JsonSchema {
  const shape = shapeOf(GatewayFile);
  const server = shape.kind === "section" ? shape.fields.get("server") : undefined;
  const schema = schemaOf(shape, options) as { readonly properties: Readonly<Record<string, JsonSchema>> };
  const properties: Record<string, JsonSchema> = {};
  for (const [key, value] of Object.entries(schema.properties)) {
    properties[key] = value;
    if (key === "Server" && server !== undefined) properties["Kestrel"] = { ...value, description: "Another name for Server." };
  }
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Gateway configuration",
    description: "Where the gateway listens, its limits, and what it proxies (YARP's ReverseProxy section).",
    type: "object",
    properties: { $schema: { type: "string" }, ...properties },
  };
}

function schemaOf(shape: Shape, options: JsonSchemaOptions): JsonSchema {
  const schema = bare(shape, options);
  return shape.nullable ? { anyOf: [schema, { type: "null" }] } : schema;
}

function bare(shape: Shape, options: JsonSchemaOptions): JsonSchema {
  switch (shape.kind) {
    case "scalar":
      return shape.info.json;
    case "list":
      return listSchema(schemaOf(shape.item, options), shape.item.kind === "scalar");
    case "record":
      return { type: "object", additionalProperties: schemaOf(shape.value, options) };
    case "section": {
      const properties = Object.fromEntries([...shape.fields.values()].map((field) => [field.key, fieldSchema(field, options)]));
      return { type: "object", properties, ...(shape.open ? {} : { additionalProperties: false }) };
    }
  }
}

/** A single text stands for a list with one item. */
function listSchema(item: JsonSchema, isScalar: boolean): JsonSchema {
  const list = { type: "array", items: item };
  return isScalar ? { anyOf: [list, item] } : list;
}

function fieldSchema({ key, shape, info }: ShapeField, options: JsonSchemaOptions): JsonSchema {
  const note = info.defaultText === undefined ? "" : ` Default: ${info.defaultText.replaceAll("`", "")}.`;
  return {
    description: info.description.replaceAll("`", "") + note,
    ...(info.default === undefined ? {} : { default: info.default }),
    ...(key === "Transforms" && options.transform !== undefined ? { type: "array", items: options.transform } : schemaOf(shape, options)),
  };
}
