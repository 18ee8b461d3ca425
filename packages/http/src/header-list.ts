import { isHeaderName, isHeaderValue } from "./field-grammar.ts";
import { headerKey } from "./header-name.ts";

/**
 * One header line. Lines are never changed, so lists share them. A line from the wire in its plain form
 * (`Name: value`) keeps the text of its message and its place there: its value is cut out when somebody asks,
 * and neighbours go out again as one slice.
 */
export class HeaderLine {
  readonly name: string;
  readonly key: string;
  /** The text that holds the line, or "" when `value` was given. */
  readonly source: string;
  readonly start: number;
  /** Behind the CRLF. */
  readonly end: number;
  #value: string | undefined;
  #checked: string | undefined = undefined;

  constructor(name: string, key: string, value: string | undefined, source: string, start: number, end: number) {
    this.name = name;
    this.key = key;
    this.#value = value;
    this.source = source;
    this.start = start;
    this.end = end;
  }

  get value(): string {
    return (this.#value ??= this.source.slice(this.start + this.name.length + 2, this.end - 2));
  }

  /**
   * For a line that did not come from the wire: its text with CRLF, or "" when a character of it may not stand in
   * a field line. Found out once: lines are shared by many messages.
   */
  get checked(): string {
    return (this.#checked ??=
      isHeaderName(this.name) && isHeaderValue(this.value) ? `${this.name}: ${this.value}\r\n` : "");
  }
}

/**
 * Header lines in the order of the wire: case and repetition kept, values latin1 (each character one byte,
 * RFC 9110, 5.5). Look-ups take keys: lower-case names, as `headerKey` gives them or as a literal.
 *
 * The list does not validate: who reads a message from a peer, or takes a value from configuration or a
 * user, checks it with `isHeaderName` and `isHeaderValue` first; who writes one to the wire trusts the list.
 */
export class HeaderList {
  #lines: HeaderLine[] = [];

  /** Builds a list from pairs in order. */
  static from(pairs: Iterable<readonly [name: string, value: string]>): HeaderList {
    const list = new HeaderList();
    for (const [name, value] of pairs) list.append(name, value);
    return list;
  }

  /** Builds a list from `name, value, name, value, …`, the shape of Node's `rawHeaders`. */
  static fromRaw(raw: readonly string[]): HeaderList {
    const list = new HeaderList();
    for (let i = 0; i + 1 < raw.length; i += 2) list.append(raw[i] as string, raw[i + 1] as string);
    return list;
  }

  /** Builds a list of `lines`, which it keeps: for parsers. */
  static fromLines(lines: HeaderLine[]): HeaderList {
    const list = new HeaderList();
    list.#lines = lines;
    return list;
  }

  /** Number of lines. */
  get size(): number {
    return this.#lines.length;
  }

  /** The name of line `index` as it was on the wire. `index` must be below `size`. */
  nameAt(index: number): string {
    return (this.#lines[index] as HeaderLine).name;
  }

  /** The key (interned lower-case name) of line `index`. */
  keyAt(index: number): string {
    return (this.#lines[index] as HeaderLine).key;
  }

  /** The value of line `index`, without surrounding blanks. */
  valueAt(index: number): string {
    return (this.#lines[index] as HeaderLine).value;
  }

  /** The line itself: for writers that copy text by slices. */
  lineAt(index: number): HeaderLine {
    return this.#lines[index] as HeaderLine;
  }

  /** The index of the first line with `key` at or after `from`, or -1. */
  indexOf(key: string, from = 0): number {
    const lines = this.#lines;
    for (let i = from; i < lines.length; i++) if ((lines[i] as HeaderLine).key === key) return i;
    return -1;
  }

  has(key: string): boolean {
    return this.indexOf(key) >= 0;
  }

  /** The value of the first line with `key`. */
  get(key: string): string | undefined {
    const index = this.indexOf(key);
    return index < 0 ? undefined : (this.#lines[index] as HeaderLine).value;
  }

  /** The values of all lines with `key`, in order; an empty array when there is none. */
  getAll(key: string): string[] {
    const found: string[] = [];
    for (const line of this.#lines) if (line.key === key) found.push(line.value);
    return found;
  }

  /** Adds a line at the end. */
  append(name: string, value: string): void {
    this.#lines.push(new HeaderLine(name, headerKey(name), value, "", 0, 0));
  }

  /** Replaces all lines of that name by one: in the place of the first, or at the end. */
  set(name: string, value: string): void {
    const key = headerKey(name);
    const line = new HeaderLine(name, key, value, "", 0, 0);
    const first = this.indexOf(key);
    if (first < 0) {
      this.#lines.push(line);
      return;
    }
    this.#lines[first] = line;
    if (this.indexOf(key, first + 1) >= 0) this.#removeFrom(key, first + 1);
  }

  /** Changes the value of line `index` in place. */
  setValueAt(index: number, value: string): void {
    const line = this.#lines[index] as HeaderLine;
    this.#lines[index] = new HeaderLine(line.name, line.key, value, "", 0, 0);
  }

  /** Removes all lines with `key`; true when there was one. */
  remove(key: string): boolean {
    const first = this.indexOf(key);
    if (first < 0) return false;
    this.#removeFrom(key, first);
    return true;
  }

  /** Keeps the lines for which `keep(key, index)` holds. */
  filter(keep: (key: string, index: number) => boolean): void {
    const lines = this.#lines;
    let kept = 0;
    for (let i = 0; i < lines.length; i++) {
      const line = lines[i] as HeaderLine;
      if (keep(line.key, i)) lines[kept++] = line;
    }
    lines.length = kept;
  }

  /** A list of its own with the same lines. */
  copy(): HeaderList {
    return HeaderList.fromLines(this.#lines.slice());
  }

  /**
   * The same lines in one text of their own: they keep nothing else of their messages alive, and go out again as one slice. For lists that stay. Throws a
   * `TypeError` where a line holds what cannot stand in one.
   */
  packed(): HeaderList {
    let text = "";
    const ends: number[] = [];
    for (const line of this.#lines) {
      const wire = line.source === "" ? line.checked : line.source.slice(line.start, line.end);
      if (wire === "") throw new TypeError(`the header ${line.name} holds an illegal character`);
      text += wire;
      ends.push(text.length);
    }
    const own = Buffer.from(text, "latin1").toString("latin1");
    return HeaderList.fromLines(
      this.#lines.map((line, i) => {
        const start = ends[i - 1] ?? 0;
        return new HeaderLine(own.slice(start, start + line.name.length), headerKey(line.name), undefined, own, start, ends[i] as number);
      }),
    );
  }

  /** Adds line `index` of `other` at the end, without looking its name up or copying its text. */
  appendFrom(other: HeaderList, index: number): void {
    this.#lines.push(other.#lines[index] as HeaderLine);
  }

  clear(): void {
    this.#lines.length = 0;
  }

  /** The lines as one latin1 text, each ended by CRLF: what stands between start line and empty line. */
  toWire(): string {
    const lines = this.#lines;
    let text = "";
    for (let i = 0; i < lines.length; i++) {
      const line = lines[i] as HeaderLine;
      if (line.source === "") {
        text += line.checked || `${line.name}: ${line.value}\r\n`;
        continue;
      }
      let end = line.end;
      for (; i + 1 < lines.length; i++) {
        const next = lines[i + 1] as HeaderLine;
        if (next.start !== end || next.source !== line.source) break;
        end = next.end;
      }
      text += line.source.slice(line.start, end);
    }
    return text;
  }

  /** `name, value, name, value, …`: the shape that Node and undici take. */
  toRaw(): string[] {
    const raw: string[] = [];
    for (const line of this.#lines) raw.push(line.name, line.value);
    return raw;
  }

  *[Symbol.iterator](): IterableIterator<[name: string, value: string]> {
    for (const line of this.#lines) yield [line.name, line.value];
  }

  #removeFrom(key: string, from: number): void {
    const lines = this.#lines;
    let kept = from;
    for (let i = from; i < lines.length; i++) {
      const line = lines[i] as HeaderLine;
      if (line.key !== key) lines[kept++] = line;
    }
    lines.length = kept;
  }
}
