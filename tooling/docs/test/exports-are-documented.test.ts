import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const packages = fileURLToPath(new URL("../../../packages/", import.meta.url));

/** Where the declaration of an export begins in a source, and its kind; undefined: it is passed on from elsewhere. */
function declarationOf(name: string, source: string): { readonly at: number; readonly kind: string } | undefined {
  const found = new RegExp(`^export (?:abstract )?(?:async )?(class|function|const|interface|type) ${name}\\b`, "m").exec(source);
  return found === null ? undefined : { at: found.index, kind: found[1] as string };
}

/** An interface may leave it to its members to say what it is. */
function membersAreDocumented(source: string, at: number): boolean {
  const body = source.slice(at, source.indexOf("}\n", at));
  const members = body.match(/^ {2}(?:readonly )?[\w"]+\??[:(<]/gm) ?? [];
  return 2 * body.split("*/").length - 2 >= members.length;
}

test("every export of every package says what it promises", () => {
  const bare: string[] = [];
  let count = 0;
  for (const index of globSync("*/src/**/index.ts", { cwd: packages })) {
    for (const [, names = "", from = ""] of readFileSync(join(packages, index), "utf8").matchAll(/export (?:type )?\{([^}]*)\} from "(\.[^"]+)"/g)) {
      const file = join(dirname(index), from);
      const source = readFileSync(join(packages, file), "utf8");
      for (const name of names.split(",").map((each) => each.trim().replace(/^type /, "").replace(/ as .*$/, "")).filter(Boolean)) {
        const declaration = declarationOf(name, source);
        if (declaration === undefined) continue;
        count++;
        const { at, kind } = declaration;
        const isDocumented = source.slice(0, at).endsWith("*/\n") || (kind === "interface" && membersAreDocumented(source, at));
        if (!isDocumented) bare.push(`${file}: ${name}`);
      }
    }
  }
  expect(bare).toEqual([]);
  expect(count).toBeGreaterThan(500);
});
