import { createHash } from "node:crypto";
import type { ConfigNode, ConfigSource } from "./config-node.ts";

/** Names the content: equal sources have equal revisions, whatever their blanks and comments. */
export function revisionOf({ root }: ConfigSource): string {
  const parts: string[] = [];
  collectText(root, parts);
  return createHash("sha256").update(parts.join("\n")).digest("hex").slice(0, 16);
}

/** Lengths stand before texts, so that no text can look like two. */
function collectText(node: ConfigNode, parts: string[]): void {
  if (node.kind === "scalar") parts.push(`${node.type} ${node.text.length}`, node.text);
  else if (node.kind === "array") {
    parts.push(`[${node.items.length}`);
    for (const item of node.items) collectText(item, parts);
  } else {
    parts.push(`{${node.members.length}`);
    for (const member of node.members) {
      parts.push(String(member.key.length), member.key);
      collectText(member.value, parts);
    }
  }
}
