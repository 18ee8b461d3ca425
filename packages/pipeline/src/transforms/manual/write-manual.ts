import type { TransformConfig } from "../transforms.ts";
import { bodyEntries } from "./body-entries.ts";
import type { ManualEntry, ManualSetting } from "./entry.ts";
import { pathAndQueryEntries, requestEntries } from "./request-entries.ts";
import { transformSchema } from "./transform-schema.ts";
import { responseEntries } from "./response-entries.ts";

const chapters: readonly (readonly [title: string, entries: readonly ManualEntry[]])[] = [
  ["Path, query and method", pathAndQueryEntries],
  ["Request fields", requestEntries],
  ["Response fields and trailers", responseEntries],
  ["Bodies", bodyEntries],
];

/** What the manual says of each form, in its order. */
export const manualEntries: readonly ManualEntry[] = chapters.flatMap(([, entries]) => entries);

/** What the JSON Schema of a configuration file says of each of `Transforms`. */
export function generateTransformSchema(): Readonly<Record<string, unknown>> {
  return transformSchema(manualEntries);
}

/** The part of `docs/transforms.md` about the single forms, as Markdown. */
export function generateTransformManual(): string {
  return chapters.map(([title, entries]) => `## ${title}\n\n${entries.map(writeEntry).join("\n")}`).join("\n");
}

function writeEntry(entry: ManualEntry): string {
  const rows: ManualSetting[] = [{ name: entry.key, meaning: `${capital(entry.value.meaning)}.` }, ...(entry.settings ?? [])];
  const table = rows.map(({ name, meaning, preset }) => `| \`${name}\` | ${preset === undefined ? "" : presetText(preset)} | ${meaning} |`);
  const { route, beside, transform, of, before, after, body } = entry.example;
  const change = writeChange(before, after, of === "answer");
  return [
    `### ${entry.key}\n`,
    `${entry.summary}\n`,
    `| key | default | |\n| --- | --- | --- |\n${table.join("\n")}\n`,
    ...(route === undefined ? [] : [`Route path \`${route}\`:\n`]),
    `\`\`\`json\n[${[...(beside ?? []), transform].map(writeMap).join(", ")}]\n\`\`\`\n`,
    `\`\`\`ts\n${[...(beside ?? []), transform].map(writeCode).join(",\n")}\n\`\`\`\n`,
    `\`\`\`diff\n${body === undefined ? change : `${change}\n\n- ${body.before}\n+ ${body.after}`}\n\`\`\`\n`,
  ].join("\n");
}

function writeMap(transform: TransformConfig): string {
  const pairs = Object.entries(transform).map(([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`);
  return `{ ${pairs.join(", ")} }`;
}

function presetText(preset: string): string {
  return preset.includes(" ") ? preset : `\`${preset}\``;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Lines that stay, go and come; of an answer the request and then the answer. */
function writeChange(before: readonly string[], after: readonly string[], isAnswer: boolean): string {
  if (isAnswer) return [...before, "", ...after.map((line) => `+ ${line}`)].join("\n");
  const gone = before.filter((line) => !after.includes(line)).map((line) => `- ${line}`);
  return [...gone, ...after.map((line) => `${before.includes(line) ? " " : "+"} ${line}`)].join("\n");
}

/** The call of `transforms` that gives this configuration. */
export function writeCode(transform: TransformConfig): string {
  const [[key = "", value = ""] = [], ...rest] = Object.entries(transform);
  const entry = manualEntries.find((each) => each.key === key);
  const options = rest.filter(([name]) => !isNested(key, name)).map(([name, text]) => `${camel(name)}: ${literal(name, text)}`);
  const nested = rest.filter(([name]) => isNested(key, name)).map(([name, text]) => `${JSON.stringify(name)}: ${JSON.stringify(text)}`);
  if (nested.length > 0) options.push(`headers: { ${nested.join(", ")} }`);
  const second = options.length === 0 ? "" : `, { ${options.join(", ")} }`;
  return `transforms.${camel(key)}(${argument(entry?.value.kind, value)}${second})`;
}

function isNested(key: string, name: string): boolean {
  return key === "SecurityHeaders" && name.includes("-");
}

function argument(kind: ManualEntry["value"]["kind"], value: string): string {
  if (kind === "boolean" || kind === "number") return value;
  if (kind === "list" || kind === "comma list") return JSON.stringify(value.split(/[;,]/)).replaceAll(",", ", ");
  return JSON.stringify(value);
}

function literal(name: string, text: string): string {
  return ["Secure", "HttpOnly", "Override", "Remove", "MaxSize"].includes(name) ? text : JSON.stringify(text);
}

function camel(key: string): string {
  const joined = key.replaceAll("-", "");
  return joined.charAt(0).toLowerCase() + joined.slice(1);
}
