import type { ManualEntry, ManualSetting } from "./entry.ts";

type JsonSchema = Readonly<Record<string, unknown>>;

const condition: ManualSetting = {
  name: "If",
  meaning:
    "Where the transform applies: `method GET,HEAD`, `header NAME [= VALUE]`, `query NAME [= VALUE]`, `status 404,500-599`, joined by `and`, each perhaps after `not`.",
};

/** The JSON Schema (draft-07) of one of `Transforms`: one of the forms of `entries`, with its keys in their canonical spelling. */
export function transformSchema(entries: readonly ManualEntry[]): JsonSchema {
  return { type: "object", anyOf: entries.map(formSchema) };
}

function formSchema({ key, summary, value, settings, takesIf = true }: ManualEntry): JsonSchema {
  const rows: ManualSetting[] = [{ name: key, meaning: `${summary} Its value: ${value.meaning}.`, values: value.values }, ...(settings ?? [])];
  if (takesIf) rows.push(condition);
  return {
    title: key,
    properties: Object.fromEntries(rows.map((row) => [row.name, settingSchema(row)])),
    required: [key],
    additionalProperties: false,
  };
}

function settingSchema({ meaning, preset, values }: ManualSetting): JsonSchema {
  const note = preset === undefined ? "" : ` Default: ${preset}.`;
  return { description: (meaning + note).replaceAll("`", ""), ...(values === undefined ? { type: ["string", "number", "boolean"] } : { enum: values.flatMap(spellings) }) };
}

/** Numbers and truth values are read as text, and may be written as what they are. */
function spellings(text: string): unknown[] {
  return /^(?:true|false|\d+)$/.test(text) ? [text, JSON.parse(text)] : [text];
}
