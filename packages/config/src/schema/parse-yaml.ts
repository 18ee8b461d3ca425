/**
 * YAML 1.2 (core schema): one document, plain data. Aliases are followed within bounds; tags beyond the core schema, merge keys
 * and keys that are no text are refused.
 */
import { Composer, isAlias, isMap, isScalar, isSeq, Lexer, Parser } from "yaml";
import type { Document, Node } from "yaml";
import type { ConfigIssue } from "../config-issue.ts";
import { configErrorOf, shorten } from "../config-issue.ts";
import type { ConfigMember, ConfigNode, ConfigSource, ScalarNode } from "./config-node.ts";
import { maxDepth } from "./config-node.ts";
import { fatal } from "./read-text.ts";
import { positionInText } from "./source-position.ts";

/** A text with more syntax errors is not read to its end. */
const maxErrors = 20;
/** Values after following aliases; a bomb has billions. */
const maxNodes = 500_000;

const coreTags = new Set(["map", "seq", "str", "int", "float", "bool", "null"].map((name) => `tag:yaml.org,2002:${name}`));

/** Throws `ConfigError` at the first few syntax errors and at whatever is refused. */
export function parseYaml(text: string, source: string): ConfigSource {
  const document = compose(text, source);
  const [error] = document.errors;
  if (error !== undefined) {
    throw configErrorOf(
      document.errors.slice(0, 5).map((error): ConfigIssue => ({
        code: error.code === "DUPLICATE_KEY" ? "duplicate-key" : "syntax",
        severity: "error",
        message: `no YAML: ${shorten(error.message.split("\n", 1)[0] ?? "")}`,
        path: [],
        source,
        ...positionInText(text, error.pos[0]),
      })),
    );
  }
  if (document.contents === null) throw fatal(source, "syntax", "the file is empty", { line: 1, column: 1 });
  return { name: source, root: new TreeBuilder(text, source).build(document.contents, 0), text };
}

function compose(text: string, source: string): Document.Parsed {
  const parser = new Parser();
  // Duplicates are found later, ignoring case; the library's own search compares every pair.
  const composer = new Composer({ uniqueKeys: false, merge: false, schema: "core", version: "1.2", logLevel: "silent" });
  const documents: Document.Parsed[] = [];
  let errors = 0;
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) {
      documents.push(...composer.next(token));
      if (token.type === "error") errors += 1;
    }
    if (errors > maxErrors) break;
    // Each level of the text takes at most a few places on the parser's stack.
    if (parser.stack.length > maxDepth * 4) {
      throw fatal(source, "too-deep", `objects and lists are nested more than ${maxDepth} levels deep`, positionInText(text, parser.offset));
    }
  }
  for (const token of parser.end()) documents.push(...composer.next(token));
  documents.push(...composer.end(documents.length === 0, text.length));
  const [document, second] = documents;
  if (document === undefined) throw fatal(source, "syntax", "the file is empty", { line: 1, column: 1 });
  if (second !== undefined) {
    throw fatal(source, "syntax", "the file has more than one YAML document", positionInText(text, second.range[0]));
  }
  return document;
}

class TreeBuilder {
  readonly #text: string;
  readonly #source: string;
  readonly #anchors = new Map<string, Node>();
  #nodes = 0;

  constructor(text: string, source: string) {
    this.#text = text;
    this.#source = source;
  }

  build(node: Node, depth: number): ConfigNode {
    const origin = node.range?.[0] ?? 0;
    this.#nodes += 1;
    if (this.#nodes > maxNodes) throw this.#refuse("too-many-values", `the file has more than ${maxNodes} values, aliases included`, origin);
    if (depth > maxDepth) throw this.#refuse("too-deep", `objects and lists are nested more than ${maxDepth} levels deep`, origin);
    if (isAlias(node)) {
      const target = this.#anchors.get(node.source);
      if (target === undefined) throw this.#refuse("syntax", `there is no anchor '${shorten(node.source)}' before this alias`, origin);
      return this.build(target, depth + 1);
    }
    if (node.tag !== undefined && !coreTags.has(node.tag)) throw this.#refuse("yaml-tag", `the tag '${shorten(node.tag)}' is not supported`, origin);
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, node);
    if (isMap(node)) return { kind: "object", members: node.items.map((pair) => this.#member(pair.key, pair.value, origin, depth)), origin };
    if (isSeq(node)) return { kind: "array", items: node.items.map((item) => this.#item(item, origin, depth)), origin };
    if (isScalar(node)) return scalar(node.value, node.source, origin);
    throw this.#refuse("syntax", "this is no plain YAML value", origin);
  }

  #item(item: unknown, origin: number, depth: number): ConfigNode {
    return item === null || item === undefined ? nothing(origin) : this.build(item as Node, depth + 1);
  }

  #member(key: unknown, value: unknown, origin: number, depth: number): ConfigMember {
    const keyOrigin = (key as Node | null)?.range?.[0] ?? origin;
    if (!isScalar(key)) throw this.#refuse("syntax", "a key is no text", keyOrigin);
    const name = scalar(key.value, key.source, keyOrigin).text;
    if (name === "<<" && key.type === "PLAIN") throw this.#refuse("yaml-merge", "merge keys ('<<') are not supported", keyOrigin);
    if (key.anchor !== undefined) this.#anchors.set(key.anchor, key);
    return { key: name, keyOrigin, value: this.#item(value, keyOrigin, depth) };
  }

  #refuse(code: string, message: string, offset: number): Error {
    return fatal(this.#source, code, message, positionInText(this.#text, offset));
  }
}

function nothing(origin: number): ScalarNode {
  return { kind: "scalar", type: "null", text: "", origin };
}

function scalar(value: unknown, source: string | undefined, origin: number): ScalarNode {
  if (typeof value === "string") return { kind: "scalar", type: "string", text: value, origin };
  if (typeof value === "boolean") return { kind: "scalar", type: "boolean", text: value ? "True" : "False", origin };
  if (value === null || value === undefined) return nothing(origin);
  if (typeof value === "number" || typeof value === "bigint") {
    // As written, so that version 1.0 stays 1.0; other notations (0x1F, 1e3) as their value.
    const raw = source ?? "";
    return { kind: "scalar", type: "number", text: /^[-+]?\d+(?:\.\d+)?$/.test(raw) ? raw : String(value), origin };
  }
  return { kind: "scalar", type: "string", text: source ?? "", origin };
}
