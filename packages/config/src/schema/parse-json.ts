import { createScanner, printParseErrorCode, visit } from "jsonc-parser";
import type { ConfigIssue } from "../config-issue.ts";
import { configErrorOf } from "../config-issue.ts";
import type { ArrayNode, ConfigMember, ConfigNode, ConfigSource, ObjectNode, ScalarNode } from "./config-node.ts";
import { maxDepth } from "./config-node.ts";
import { fatal } from "./read-text.ts";
import { positionInText } from "./source-position.ts";

/** JSON with comments and trailing commas, as .NET reads it. Throws `ConfigError` at the first few syntax errors. */
export function parseJson(text: string, source: string): ConfigSource {
  checkDepth(text, source);
  const issues: ConfigIssue[] = [];
  const open: (ObjectNode | ArrayNode)[] = [];
  let root: ConfigNode | undefined;
  let property: Omit<ConfigMember, "value"> | undefined;
  const add = (node: ConfigNode): void => {
    const parent = open.at(-1);
    if (parent === undefined) root ??= node;
    else if (parent.kind === "array") parent.items.push(node);
    else if (property !== undefined) parent.members.push({ ...property, value: node });
    property = undefined;
  };
  visit(
    text,
    {
      onObjectBegin: (offset) => {
        const node: ObjectNode = { kind: "object", members: [], origin: offset };
        add(node);
        open.push(node);
      },
      onObjectProperty: (key, offset) => {
        property = { key, keyOrigin: offset };
      },
      onObjectEnd: () => void open.pop(),
      onArrayBegin: (offset) => {
        const node: ArrayNode = { kind: "array", items: [], origin: offset };
        add(node);
        open.push(node);
      },
      onArrayEnd: () => void open.pop(),
      onLiteralValue: (value: unknown, offset, length) => add(literal(value, text.slice(offset, offset + length), offset)),
      onError: (error, offset, length) => {
        if (issues.length < 5) {
          issues.push({
            code: "syntax",
            severity: "error",
            message: `no JSON: ${sentence(printParseErrorCode(error))}`,
            path: [],
            source,
            ...positionInText(text, offset),
            value: text.slice(offset, offset + Math.min(length, 40)) || undefined,
          });
        }
      },
    },
    { allowTrailingComma: true },
  );
  if (issues.length > 0) throw configErrorOf(issues);
  if (root === undefined) throw fatal(source, "syntax", "the file is empty", { line: 1, column: 1 });
  return { name: source, root, text };
}

function literal(value: unknown, raw: string, origin: number): ScalarNode {
  if (typeof value === "string") return { kind: "scalar", type: "string", text: value, origin };
  if (typeof value === "boolean") return { kind: "scalar", type: "boolean", text: value ? "True" : "False", origin };
  if (value === null) return { kind: "scalar", type: "null", text: "", origin };
  return { kind: "scalar", type: "number", text: raw, origin };
}

/** `CommaExpected` becomes `comma expected`. */
function sentence(code: string): string {
  return code.replaceAll(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
}

/** Token kinds of the scanner, whose own enumeration is ambient. */
const openBrace = 1;
const closeBrace = 2;
const openBracket = 3;
const closeBracket = 4;
const endOfText = 17;

/** Before parsing, which recurses. */
function checkDepth(text: string, source: string): void {
  const scanner = createScanner(text, true);
  let depth = 0;
  for (let token: number = scanner.scan(); token !== endOfText; token = scanner.scan()) {
    if (token === openBrace || token === openBracket) {
      depth += 1;
      if (depth > maxDepth) {
        throw fatal(source, "too-deep", `objects and lists are nested more than ${maxDepth} levels deep`, positionInText(text, scanner.getTokenOffset()));
      }
    } else if (token === closeBrace || token === closeBracket) depth -= 1;
  }
}
