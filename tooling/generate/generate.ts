/**
 * Writes what is generated from the configuration's schema and catalogues into `docs/`; with `--check` it writes nothing and exits with 1 when a
 * file is not what it would write.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { configIssueCodes } from "@proxy/config";
import { generateConfigurationReference, generateJsonSchema } from "@proxy/config/schema";
import { generateTransformManual, generateTransformSchema } from "@proxy/pipeline/manual";

const docs = new URL("../../docs/", import.meta.url);
const files = new Map([
  ["configuration.md", generateConfigurationReference()],
  ["errors.md", withTable(read(new URL("errors.md", docs)) ?? "")],
  ["transforms.md", between(read(new URL("transforms.md", docs)) ?? "", generateTransformManual())],
  ["gateway.schema.json", `${JSON.stringify(generateJsonSchema({ transform: generateTransformSchema() }), undefined, 2)}\n`],
]);

const isCheck = process.argv.includes("--check");
for (const [name, content] of files) {
  const file = new URL(name, docs);
  if (!isCheck) writeFileSync(file, content);
  else if (read(file) !== content) {
    process.stderr.write(`docs/${name} is not what the schema gives: run "pnpm run generate"\n`);
    process.exitCode = 1;
  }
}

/** `errors.md` is written by hand but for the table between its markers. */
function withTable(text: string): string {
  const rows = Object.entries(configIssueCodes).map(([code, meaning]) => `| \`${code}\` | ${meaning.replaceAll("|", "\\|")} |`);
  const table = `\n| code | meaning |\n| --- | --- |\n${rows.join("\n")}\n`;
  return between(text, table);
}

/** `text` with `content` between its markers. */
function between(text: string, content: string): string {
  return text.replace(/(<!-- generated: .* -->\n)[^]*?(\n?<!-- end -->)/, (_, begin: string) => `${begin}${content}\n<!-- end -->`);
}

function read(file: URL): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
