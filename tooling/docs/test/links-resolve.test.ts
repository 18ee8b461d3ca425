/** Every relative link in the Markdown of the repository leads to a file that git knows, and its anchor to a heading there. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { anchorsOf, linksOf } from "../markdown.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const tracked = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: root, encoding: "utf8" }).split("\0");
const known = new Set(tracked.flatMap((file) => [file, ...parents(file)]));
const pages = tracked.filter((file) => file.endsWith(".md") && existsSync(join(root, file)));
const text = (page: string): string => readFileSync(join(root, page), "utf8");
const anchors = new Map(pages.map((page) => [page, anchorsOf(text(page))]));

/** Folders can be linked too. */
function parents(file: string): string[] {
  const up = dirname(file);
  return up === "." ? [] : [up, ...parents(up)];
}

test("there are pages", () => expect(pages.length).toBeGreaterThan(50));

test.each(pages)("the links of %s resolve", (page) => {
  const broken = linksOf(text(page)).filter((link) => {
    const [path = "", anchor] = decodeURI(link).split("#");
    const target = path === "" ? page : relative(root, join(root, dirname(page), path));
    if (target !== "" && !known.has(target)) return true;
    return anchor !== undefined && !(anchors.get(target)?.has(anchor) ?? !target.endsWith(".md"));
  });
  expect(broken).toEqual([]);
});

describe("what is read out of Markdown", () => {
  test("links, but not those in code or to elsewhere", () => {
    const page = "[a](b.md#c) ![i](i.png) [e](https://x.example/) [m](mailto:a@b)\n`[no](x.md)`\n```md\n[no](y.md)\n```\n[r]: ../z.md\n[t](t.md \"title\")";
    expect(linksOf(page)).toEqual(["b.md#c", "i.png", "../z.md", "t.md"]);
  });

  test("anchors as GitHub makes them", () => {
    const page = '# A `b.c`, and D!\n## Same\n## Same\n```sh\n# no heading\n```\n### [x](y) **z** _q_\n<a id="own"></a>\n';
    expect([...anchorsOf(page)]).toEqual(["a-bc-and-d", "same", "same-1", "x-z-q", "own"]);
  });
});
