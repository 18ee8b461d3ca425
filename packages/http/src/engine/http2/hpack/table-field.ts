/** RFC 7541, 4.1: what an entry weighs beside its characters. */
export const fieldOverhead = 32;

/**
 * One field of a static or dynamic table. The same object comes back each time the peer refers to the entry, so a
 * reader of fields may keep in `note` what it once found out about this pair of name and value.
 */
export class TableField {
  readonly name: string;
  readonly value: string;
  /** RFC 7541, 4.1: the octets of name and value, and 32. */
  readonly size: number;
  /** The reader's own; undefined at first. Fields of the static table are shared by all connections of the thread. */
  note: unknown = undefined;

  constructor(name: string, value: string) {
    this.name = name;
    this.value = value;
    this.size = name.length + value.length + fieldOverhead;
  }
}
