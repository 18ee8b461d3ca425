/** What tests of the documentation look at in a Markdown page. No parser: the pages use a small part of the language. */

/** A fenced block of code. */
export interface CodeBlock {
  readonly language: string;
  readonly text: string;
  /** The nearest heading above it, without its number signs. */
  readonly heading: string;
}

/** The blocks of a page in their order; those in lists lose their indentation. */
export function blocksOf(page: string): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  const pattern = /^#+ (?<heading>.*)$|^(?<indent> *)```(?<language>\S*).*\n(?<text>[^]*?)^\k<indent>```$/gm;
  let heading = "";
  for (const { groups = {} } of page.matchAll(pattern)) {
    if (groups["heading"] !== undefined) heading = groups["heading"];
    else {
      const indent = new RegExp(`^${groups["indent"] ?? ""}`, "gm");
      blocks.push({ language: groups["language"] ?? "", text: (groups["text"] ?? "").replace(indent, ""), heading });
    }
  }
  return blocks;
}

function withoutBlocks(page: string): string {
  return page.replace(/^( *)```[^]*?^\1```$/gm, "");
}

/** Relative targets of links, images and reference definitions outside of code. */
export function linksOf(page: string): string[] {
  const prose = withoutBlocks(page).replace(/`+[^`\n]*`+/g, "``");
  const targets = [...prose.matchAll(/\]\(([^()\s]+)(?: "[^"]*")?\)|^\[[^\]]+\]: (\S+)/gm)].map(([, inline, reference]) => inline ?? reference ?? "");
  return targets.filter((target) => !/^[a-z][a-z+.-]*:/i.test(target));
}

/** The anchors of a page's headings, as GitHub makes them, and those written in HTML. */
export function anchorsOf(page: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading, id] of withoutBlocks(page).matchAll(/^#{1,6} (.*)$|<a (?:id|name)="([^"]+)"/gm)) {
    if (id !== undefined) anchors.add(id);
    else if (heading !== undefined) {
      const slug = slugOf(heading);
      let anchor = slug;
      for (let count = 1; anchors.has(anchor); count++) anchor = `${slug}-${count}`;
      anchors.add(anchor);
    }
  }
  return anchors;
}

function slugOf(heading: string): string {
  const shown = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").replace(/\*\*|(?<!\w)_|_(?!\w)/g, "");
  return shown.trim().toLowerCase().replace(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, "").replaceAll(" ", "-");
}
