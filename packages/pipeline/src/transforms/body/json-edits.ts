import { BodyContentError, type BodyPiece, type BodyTransform } from "@proxy/forwarder";
import { markNumbers, unmarkNumbers } from "./json-numbers.ts";
import { repeatsNames } from "./json-text.ts";

/** One change of a JSON text. */
export interface JsonEdit {
  /** The parts of a JSON pointer (RFC 6901). */
  readonly pointer: readonly string[];
  /** What to put there; undefined takes out what is there. */
  readonly value: unknown;
}

/** The parts of a JSON pointer (RFC 6901, 3); undefined when `text` is none. */
export function parsePointer(text: string): readonly string[] | undefined {
  if (text === "") return [];
  if (!text.startsWith("/") || /~(?![01])/.test(text)) return undefined;
  return text.slice(1).split("/").map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/**
 * Edits a JSON text, which is held as a whole: at most `limit` bytes of it. Where no edit has anything to change the bytes stay, unless
 * an object has two members of one name: receivers differ in which they take. Otherwise the text is written anew, without blanks, with
 * all digits of its numbers.
 */
export class JsonEdits implements BodyTransform {
  readonly #edits: JsonEdit[] = [];
  readonly #chunks: Uint8Array[] = [];
  #limit: number;
  #size = 0;

  constructor(edit: JsonEdit, limit: number) {
    this.#edits.push(edit);
    this.#limit = limit;
  }

  /** Makes another change of the same text, after the others; the lower limit counts. */
  add(edit: JsonEdit, limit: number): void {
    this.#edits.push(edit);
    this.#limit = Math.min(limit, this.#limit);
  }

  chunk(chunk: Uint8Array): BodyPiece {
    this.#size += chunk.length;
    if (this.#size > this.#limit) throw new BodyContentError(413, `the body has more than the ${this.#limit} bytes that may be edited`);
    this.#chunks.push(chunk);
    return undefined;
  }

  end(): BodyPiece {
    const bytes = Buffer.concat(this.#chunks);
    try {
      const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
      const root = { "": JSON.parse(markNumbers(text)) as unknown };
      let changed = false;
      for (const edit of this.#edits) changed = apply(root, edit) || changed;
      if (!changed && !repeatsNames(text, root[""])) return bytes;
      return Buffer.from(unmarkNumbers(JSON.stringify(root[""])));
    } catch (cause) {
      // Not the cause's own message: it quotes the text.
      throw new BodyContentError(400, "the body is no JSON, or too deep", { cause });
    }
  }
}

/** Whether there was something to change. Own members only: no text reaches a prototype. */
function apply(root: object, { pointer, value: given }: JsonEdit): boolean {
  // A later edit may reach into it.
  const value = structuredClone(given);
  const path = ["", ...pointer];
  const last = path.pop() as string;
  let parent: unknown = root;
  for (const part of path) {
    if (!isContainer(parent) || !Object.hasOwn(parent, Array.isArray(parent) ? index(part) : part)) return false;
    parent = (parent as Record<string, unknown>)[part];
  }
  if (!isContainer(parent)) return false;
  if (Array.isArray(parent)) return applyToList(parent, last, value);
  if (value === undefined) return Object.hasOwn(parent, last) && delete (parent as Record<string, unknown>)[last];
  Object.defineProperty(parent, last, { value, configurable: true, enumerable: true, writable: true });
  return true;
}

function applyToList(list: unknown[], part: string, value: unknown): boolean {
  if (part === "-" && value !== undefined) {
    list.push(value);
    return true;
  }
  if (!Object.hasOwn(list, index(part))) return false;
  if (value === undefined) list.splice(Number(part), 1);
  else list[Number(part)] = value;
  return true;
}

/** The index that `part` is, or a key that no list has. */
function index(part: string): string {
  return /^(?:0|[1-9]\d{0,9})$/.test(part) ? part : "-";
}

function isContainer(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
