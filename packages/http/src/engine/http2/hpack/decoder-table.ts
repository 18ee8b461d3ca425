import { TableField } from "./table-field.ts";

/** The dynamic table of a decoder (RFC 7541, 2.3.2): a ring, newest entry first. */
export class DecoderTable {
  #entries: (TableField | undefined)[] = Array.from<undefined>({ length: 32 });
  #mask = 31;
  /** Where the next entry goes. */
  #next = 0;
  #size = 0;
  #maximum: number;
  /** The number of entries. */
  count = 0;

  constructor(maximum: number) {
    this.#maximum = maximum;
  }

  /** The bytes that the entries may weigh. */
  get maximum(): number {
    return this.#maximum;
  }

  /** Entry `index`, 0 for the newest; `index` must be below `count`. */
  at(index: number): TableField {
    return this.#entries[(this.#next - 1 - index) & this.#mask] as TableField;
  }

  resize(maximum: number): void {
    this.#maximum = maximum;
    this.#evict(maximum);
  }

  /** Adds an entry and drops the oldest ones for it. One larger than the table empties it and is not kept (RFC 7541, 4.4). */
  add(field: TableField): void {
    this.#evict(this.#maximum - field.size);
    if (field.size > this.#maximum) return;
    if (this.count > this.#mask) this.#grow();
    this.#entries[this.#next] = field;
    this.#next = (this.#next + 1) & this.#mask;
    this.#size += field.size;
    this.count++;
  }

  #evict(room: number): void {
    while (this.count > 0 && this.#size > room) {
      const oldest = (this.#next - this.count) & this.#mask;
      this.#size -= (this.#entries[oldest] as TableField).size;
      this.#entries[oldest] = undefined;
      this.count--;
    }
  }

  #grow(): void {
    const entries = Array.from<TableField | undefined>({ length: (this.#mask + 1) * 2 });
    for (let i = 0; i < this.count; i++) entries[i] = this.at(this.count - 1 - i);
    this.#entries = entries;
    this.#mask = entries.length - 1;
    this.#next = this.count;
  }
}
