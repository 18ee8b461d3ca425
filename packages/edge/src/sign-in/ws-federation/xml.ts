/**
 * XML of other parties, read strictly: elements, attributes and text, and nothing else. Document types and entities, processing instructions, CDATA and comments are
 * refused before the parser sees them: tokens need none, and each has carried attacks (entity bombs, text that two readers cut differently).
 */
import { createRequire } from "node:module";

/** What is used of the parser. Its own declarations would bring the types of browsers with them. */
interface XmlParser {
  parseFromString(text: string, type: string): { readonly documentElement: XmlElement | null };
}

export interface XmlElement {
  readonly nodeType: number;
  readonly localName: string;
  readonly namespaceURI: string | null;
  readonly parentNode: XmlElement | null;
  readonly childNodes: { readonly length: number; item(index: number): XmlElement };
  readonly textContent: string | null;
  getAttribute(name: string): string | null;
  hasAttribute(name: string): boolean;
}

export class XmlError extends Error {
  override readonly name = "XmlError";
}

const { DOMParser } = createRequire(import.meta.url)("@xmldom/xmldom") as { readonly DOMParser: new (options: object) => XmlParser };

const elementNode = 1;
const textNode = 3;
const deepest = 32;
const mostElements = 10_000;
/** Of one element; all have at most twice as many as there may be elements. */
const mostAttributes = 64;

export interface XmlLimits {
  /** Characters. */
  readonly largest: number;
  /** How many elements. Default 10 000. */
  readonly elements?: number | undefined;
  /** Whether comments are left out rather than refused. Default false. */
  readonly comments?: boolean | undefined;
}

/** The root of the document. Throws `XmlError` for everything that is not plain and well-formed. */
export function parseXml(text: string, { largest, elements = mostElements, comments = false }: XmlLimits): XmlElement {
  if (text.length > largest) throw new XmlError(`the document has more than ${largest} characters`);
  const body = (comments ? text.replace(/<!--[^]*?-->/g, "") : text).replace(/^\uFEFF?\s*<\?xml\s[^?<>]*\?>/, "");
  if (/<[!?]/.test(body)) throw new XmlError("the document holds more than elements and text");
  checkShape(body, elements);
  const fail = (message: string): never => {
    throw new XmlError(`the document is not well-formed: ${message.split("\n")[0]}`);
  };
  let root: XmlElement | null;
  try {
    root = new DOMParser({ errorHandler: { warning: fail, error: fail, fatalError: fail } }).parseFromString(body, "text/xml").documentElement;
  } catch (error) {
    throw error instanceof XmlError ? error : new XmlError("the document is not well-formed", { cause: error });
  }
  if (root === null) throw new XmlError("the document is empty");
  check(root);
  return root;
}

/**
 * Before the parser: what it, canonical forms and recursion cost grows faster than the text where elements stand in one another, or have many attributes and namespaces. Tags are
 * read as the parser reads them; it refuses what is not well-formed.
 */
function checkShape(text: string, most: number): void {
  let depth = 0;
  let elements = 0;
  let attributes = 0;
  for (let at = text.indexOf("<"); at >= 0; at = text.indexOf("<", at)) {
    const isEnd = text.charCodeAt(++at) === slash;
    let own = 0;
    let quote = 0;
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === quote) quote = 0;
      else if (quote === 0 && (code === 0x22 || code === 0x27)) {
        quote = code;
        own++;
      } else if (code === lessThan || (quote === 0 && code === greaterThan)) break;
    }
    // What begins in a value would be counted, and is nothing to the parser.
    if (text.charCodeAt(at) !== greaterThan) throw new XmlError("the document is not well-formed");
    if (isEnd) depth--;
    else {
      elements++;
      attributes += own;
      // One without content is as deep as others while it is read.
      if (++depth > deepest || elements > most || own > mostAttributes || attributes > 2 * most) throw new XmlError("the document is too deep or too large");
      if (text.charCodeAt(at - 1) === slash) depth--;
    }
    if (depth < 0) throw new XmlError("the document is not well-formed");
  }
}

const slash = 0x2f;
const lessThan = 0x3c;
const greaterThan = 0x3e;

/** Nothing but elements and text. */
function check(element: XmlElement): void {
  for (const node of nodesOf(element)) {
    if (node.nodeType === elementNode) check(node);
    else if (node.nodeType !== textNode) throw new XmlError("the document holds more than elements and text");
  }
}

function nodesOf({ childNodes }: XmlElement): readonly XmlElement[] {
  return Array.from({ length: childNodes.length }, (_, index) => childNodes.item(index));
}

/** Elements right below `parent`. */
export function elementsOf(parent: XmlElement): readonly XmlElement[] {
  return nodesOf(parent).filter(({ nodeType }) => nodeType === elementNode);
}

/** Those called `name` in `namespace` (or one of them) right below `parent`. */
export function childrenNamed(parent: XmlElement, namespace: string | ReadonlySet<string>, name: string): readonly XmlElement[] {
  return elementsOf(parent).filter((element) => isNamed(element, namespace, name));
}

export function isNamed({ localName, namespaceURI }: XmlElement, namespace: string | ReadonlySet<string>, name: string): boolean {
  return localName === name && (typeof namespace === "string" ? namespaceURI === namespace : namespace.has(namespaceURI ?? ""));
}

/** The only one; throws `XmlError` when there is none or another. */
export function onlyChild(parent: XmlElement, namespace: string | ReadonlySet<string>, name: string): XmlElement {
  const [first, ...others] = childrenNamed(parent, namespace, name);
  if (first === undefined || others.length > 0) throw new XmlError(`there is not exactly one ${name} in ${parent.localName}`);
  return first;
}

/** `root` and all elements below it. */
export function allElements(root: XmlElement): readonly XmlElement[] {
  return [root, ...elementsOf(root).flatMap(allElements)];
}

/** The text of an element without elements in it, without blanks around it. */
export function textOf(element: XmlElement): string {
  if (elementsOf(element).length > 0) throw new XmlError(`${element.localName} holds elements where text should be`);
  return (element.textContent ?? "").trim();
}
