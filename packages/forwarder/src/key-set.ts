/**
 * A set of header keys that tells most keys which are not in it apart by their length and first letter, without hashing.
 * For the few sets that every line of every message is held against.
 */
export class KeySet extends Set<string> {
  /** By length: a bit for each first letter. */
  readonly #letters = new Int32Array(64);

  constructor(keys: Iterable<string>) {
    super();
    for (const key of keys) this.add(key);
  }

  override add(key: string): this {
    const length = key.length & 63;
    this.#letters[length] = (this.#letters[length] as number) | (1 << (key.charCodeAt(0) & 31));
    return super.add(key);
  }

  override has(key: string): boolean {
    return ((this.#letters[key.length & 63] as number) & (1 << (key.charCodeAt(0) & 31))) !== 0 && super.has(key);
  }
}
