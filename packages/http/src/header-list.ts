import { headerKey } from "./header-name.ts";

/**
 * Header lines in the order of the wire: case and repetition kept, values latin1 (each character one byte,
 * RFC 9110, 5.5). Look-ups take keys: lower-case names, as `headerKey` gives them or as a literal.
 *
 * The list does not validate: who reads a message from a peer, or takes a value from configuration or a
 * user, checks it with `isHeaderName` and `isHeaderValue` first; who writes one to the wire trusts the list.
 */
export class HeaderList {
  readonly #names: string[] = [];
  readonly #keys: string[] = [];
  readonly #values: string[] = [];

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

  /** Number of lines. */
  get size(): number {
    return this.#keys.length;
  }

  /** The name of line `index` as it was on the wire. `index` must be below `size`. */
  nameAt(index: number): string {
    return this.#names[index] as string;
  }

  /** The key (interned lower-case name) of line `index`. */
  keyAt(index: number): string {
    return this.#keys[index] as string;
  }

  /** The value of line `index`, without surrounding blanks. */
  valueAt(index: number): string {
    return this.#values[index] as string;
  }

  /** The index of the first line with `key` at or after `from`, or -1. */
  indexOf(key: string, from = 0): number {
    return this.#keys.indexOf(key, from);
  }

  has(key: string): boolean {
    return this.#keys.includes(key);
  }

  /** The value of the first line with `key`. */
  get(key: string): string | undefined {
    const index = this.#keys.indexOf(key);
    return index < 0 ? undefined : this.#values[index];
  }

  /** The values of all lines with `key`, in order; an empty array when there is none. */
  getAll(key: string): string[] {
    const found: string[] = [];
    for (let i = this.#keys.indexOf(key); i >= 0; i = this.#keys.indexOf(key, i + 1)) {
      found.push(this.#values[i] as string);
    }
    return found;
  }

  /** Adds a line at the end. */
  append(name: string, value: string): void {
    this.#names.push(name);
    this.#keys.push(headerKey(name));
    this.#values.push(value);
  }

  /** Replaces all lines of that name by one: in the place of the first, or at the end. */
  set(name: string, value: string): void {
    const key = headerKey(name);
    const first = this.#keys.indexOf(key);
    if (first < 0) {
      this.append(name, value);
      return;
    }
    this.#names[first] = name;
    this.#values[first] = value;
    if (this.#keys.indexOf(key, first + 1) >= 0) this.#removeFrom(key, first + 1);
  }

  /** Changes the value of line `index` in place. */
  setValueAt(index: number, value: string): void {
    this.#values[index] = value;
  }

  /** Removes all lines with `key`; true when there was one. */
  remove(key: string): boolean {
    const first = this.#keys.indexOf(key);
    if (first < 0) return false;
    this.#removeFrom(key, first);
    return true;
  }

  /** Keeps the lines for which `keep(key, index)` holds. */
  filter(keep: (key: string, index: number) => boolean): void {
    let kept = 0;
    for (let i = 0; i < this.#keys.length; i++) {
      const key = this.#keys[i] as string;
      if (!keep(key, i)) continue;
      this.#move(i, kept++);
    }
    this.#truncate(kept);
  }

  /** A list of its own with the same lines. */
  copy(): HeaderList {
    const list = new HeaderList();
    for (let i = 0; i < this.#keys.length; i++) list.appendFrom(this, i);
    return list;
  }

  /** Adds line `index` of `other` at the end, without looking its name up again. */
  appendFrom(other: HeaderList, index: number): void {
    this.#names.push(other.#names[index] as string);
    this.#keys.push(other.#keys[index] as string);
    this.#values.push(other.#values[index] as string);
  }

  clear(): void {
    this.#truncate(0);
  }

  /** The lines as one latin1 text, each ended by CRLF: what stands between start line and empty line. */
  toWire(): string {
    let text = "";
    for (let i = 0; i < this.#names.length; i++) text += `${this.#names[i]}: ${this.#values[i]}\r\n`;
    return text;
  }

  /** `name, value, name, value, …`: the shape that Node and undici take. */
  toRaw(): string[] {
    const raw: string[] = [];
    for (let i = 0; i < this.#names.length; i++) raw.push(this.#names[i] as string, this.#values[i] as string);
    return raw;
  }

  *[Symbol.iterator](): IterableIterator<[name: string, value: string]> {
    for (let i = 0; i < this.#names.length; i++) yield [this.#names[i] as string, this.#values[i] as string];
  }

  #removeFrom(key: string, from: number): void {
    let kept = from;
    for (let i = from; i < this.#keys.length; i++) {
      if (this.#keys[i] !== key) this.#move(i, kept++);
    }
    this.#truncate(kept);
  }

  #move(from: number, to: number): void {
    if (from === to) return;
    this.#names[to] = this.#names[from] as string;
    this.#keys[to] = this.#keys[from] as string;
    this.#values[to] = this.#values[from] as string;
  }

  #truncate(size: number): void {
    this.#names.length = size;
    this.#keys.length = size;
    this.#values.length = size;
  }
}
