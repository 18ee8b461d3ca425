import { GatewayFile } from "./gateway-schema.ts";
import type { SectionShape, Shape, ShapeField } from "./schema-shape.ts";
import { shapeOf } from "./schema-shape.ts";

const introduction = `# Configuration reference

Every key of a gateway's configuration file, from the schema that reads it. The format is JSON (comments, trailing commas and a
byte order mark are accepted), YAML, or a TypeScript or JavaScript module with a default export (\`defineGatewayConfig\`). An
\`appsettings.json\` of YARP works unchanged: sections that are not listed here are ignored.

* Keys and names of values ignore case. Ids do too: \`a\` and \`A\` are the same route. The key \`__proto__\` is refused everywhere;
  \`constructor\` and \`prototype\` are ids like any other.
* Numbers and booleans may be written as text. A single value stands for a list with one item. A key that is null, and an empty
  object or list, count as absent, except for \`Respond\`, and for limits, where null means unlimited.
* A duration is a TimeSpan, \`[-][d.]hh:mm:ss[.fffffff]\` (\`00:00:15\`), or a number with a unit: \`500ms\`, \`15s\`, \`2m\`, \`1h\`, \`1d\`.
* A key that nobody knows is a warning with a suggestion, and an error with \`--strict\`.
* Environment variables override the file: \`ReverseProxy__Clusters__a__Destinations__d1__Address=http://127.0.0.1:5000/\`. Two
  underscores separate the parts, case does not matter, a number is the index of a list item. \`Urls\`, \`Server\` (\`Kestrel\`) and
  \`Logging\` are overridden in the same way.
* Several files are layers, as \`appsettings.json\` and \`appsettings.Production.json\` are in .NET: what a later file says wins, key by
  key; what it does not mention stays, also inside a route or cluster. Lists are laid over one another item by item, so that a
  shorter list leaves the rest of a longer one. A text takes the place of a whole list; null takes a value away, but no list or section.
* A file has at most 16 MiB (YAML: 4 MiB) and 64 levels. YAML tags beyond the core schema and merge keys (\`<<\`) are refused; aliases are followed.
* Routes, clusters and what belongs to them are reloaded when a file changes; \`Urls\`, \`Server\` and \`Logging\` are read at start,
  and a change to them is a warning until the next one.
* Errors and warnings, by code: [errors](errors.md#configuration-issues).

Keys marked *extension* are not part of YARP or Kestrel.
`;

/** The configuration reference as Markdown: one table for each section of the file. */
export function generateConfigurationReference(): string {
  const shape = shapeOf(GatewayFile);
  if (shape.kind !== "section") throw new TypeError("the file is a section");
  const sections: string[] = [];
  addSection("The file", shape, "", sections);
  return `${introduction}\n${sections.join("\n")}`;
}

function addSection(title: string, shape: SectionShape, path: string, sections: string[]): void {
  const rows: string[] = [];
  const inner: [string, SectionShape][] = [];
  for (const field of shape.fields.values()) {
    const where = path === "" ? field.key : `${path}:${field.key}`;
    const [section, innerPath] = sectionIn(field.shape, where);
    if (section !== undefined) inner.push([innerPath, section]);
    const name = section === undefined ? `\`${field.key}\`` : `[\`${field.key}\`](#${anchor(innerPath)})`;
    rows.push(`| ${name} | ${typeOf(field.shape)} | ${defaultOf(field)} | ${meaningOf(field)} |`);
  }
  sections.push(`## ${title}\n\n| key | type | default | meaning |\n| --- | --- | --- | --- |\n${rows.join("\n")}\n`);
  for (const [innerPath, section] of inner) addSection(innerPath, section, innerPath, sections);
}

/** The section that a member leads to, with its path: `Routes:<id>`, `Headers:<n>`. */
function sectionIn(shape: Shape, path: string): readonly [SectionShape | undefined, string] {
  if (shape.kind === "section") return [shape, path];
  if (shape.kind === "record") return sectionIn(shape.value, `${path}:{${shape.key}}`);
  if (shape.kind === "list") return sectionIn(shape.item, `${path}:{n}`);
  return [undefined, path];
}

/** As GitHub makes anchors of headings. */
function anchor(heading: string): string {
  return heading.toLowerCase().replaceAll(/[^a-z0-9 _-]/g, "").replaceAll(" ", "-");
}

function typeOf(shape: Shape): string {
  const type = bareType(shape);
  return shape.nullable ? `${type} or null` : type;
}

function bareType(shape: Shape): string {
  if (shape.kind === "scalar") return shape.info.label.includes(",") ? "name" : shape.info.label;
  if (shape.kind === "section") return "object";
  if (shape.kind === "list") return `list of ${plural(shape.item)}`;
  return `map of ${shape.key} to ${bareType(shape.value)}`;
}

function plural(shape: Shape): string {
  if (shape.kind === "section") return "objects";
  if (shape.kind === "record") return "maps";
  const type = bareType(shape);
  return type === "text" ? "texts" : `${type}s`;
}

function defaultOf({ info }: ShapeField): string {
  if (info.default !== undefined) return `\`${info.default}\``;
  return info.defaultText ?? "";
}

function meaningOf({ shape, info }: ShapeField): string {
  const scalar = shape.kind === "list" ? shape.item : shape.kind === "record" ? shape.value : shape;
  const names = scalar.kind === "scalar" && scalar.info.label.includes(",") ? ` One of ${scalar.info.label.split(", ").map((name) => `\`${name}\``).join(", ")}.` : "";
  const extension = info.extension === true ? " *Extension.*" : "";
  return `${info.description}${names}${extension}`.replaceAll("|", "\\|");
}
