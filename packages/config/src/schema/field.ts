import * as Schema from "effect/Schema";

/** What the reference and the JSON Schema say of a member. */
export interface FieldInfo {
  /** One or more sentences. */
  readonly description: string;
  /** As written in a file; a text where no single value is the default. */
  readonly default?: string | number | boolean | undefined;
  /** The default in words, where it is no value. */
  readonly defaultText?: string | undefined;
  /** An empty object, or list, is not the same as none. */
  readonly keepsEmpty?: boolean | undefined;
  /** Beyond YARP's and Kestrel's model. */
  readonly extension?: boolean | undefined;
}

/** An optional member of a section with its documentation. */
export function field<S extends Schema.Top>(schema: S, description: string, more: Omit<FieldInfo, "description"> = {}) {
  const info: FieldInfo = { description, ...more };
  return Schema.optionalKey(schema).annotateKey({ description, field: info });
}

/** A map from names of the user's to `value`. `key` names them in the reference: `Destinations:<id>`. */
export function record<S extends Schema.Top>(value: S, key: string) {
  return Schema.Record(Schema.String, value).annotate({ recordKey: key });
}
