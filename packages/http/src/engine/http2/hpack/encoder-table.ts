import { type Indexing, indexing, indexingOf } from "./indexing-policy.ts";
import { staticCount, type StaticName, staticNames } from "./static-table.ts";
import { fieldOverhead } from "./table-field.ts";

/** One entry of the dynamic table. */
interface Entry {
  readonly of: NameState;
  readonly value: string;
  readonly size: number;
  /** How many entries were made before it. */
  readonly serial: number;
}

/** What an encoder knows of one name. */
export interface NameState {
  readonly policy: Indexing;
  readonly known: StaticName | undefined;
  /** The entries with this name, the newest last. */
  readonly entries: Entry[];
  /** The fingerprint of the value that was last sent as a literal. */
  lastValue: number;
}

/** Names of which an encoder keeps a state, and their length; fields with other names are literals. */
const maximumNames = 256;
const maximumNameLength = 64;
/** Values of one name that are compared. A name with more of them alive is seldom worth its entries. */
const maximumValues = 8;

/** The dynamic table of an encoder, with the look-up from name and value to index. */
export class EncoderTable {
  readonly #names = new Map<string, NameState>();
  /** From the oldest on; those before `#first` are dropped. */
  #entries: (Entry | undefined)[] = [];
  #first = 0;
  #size = 0;
  /** Entries made so far. */
  #made = 0;
  maximum: number;

  constructor(maximum: number) {
    this.maximum = maximum;
  }

  /** The state of a lower-case name. */
  name(name: string): NameState {
    const state = this.#names.get(name);
    if (state !== undefined) return state;
    const full = this.#names.size >= maximumNames || name.length > maximumNameLength;
    const policy = indexingOf(name);
    const fresh: NameState = {
      policy: full && policy !== indexing.sensitive ? indexing.never : policy,
      known: staticNames.get(name),
      entries: [],
      lastValue: 0,
    };
    if (!full) this.#names.set(name, fresh);
    return fresh;
  }

  /** The index of an entry with exactly this pair, or 0. */
  find(state: NameState, value: string): number {
    const { known, entries } = state;
    if (known !== undefined) {
      const { values } = known;
      for (let i = 0; i < values.length; i++) if (values[i] === value) return known.index + i;
    }
    const last = entries.length - 1;
    for (let i = last; i >= 0 && i > last - maximumValues; i--) {
      const entry = entries[i] as Entry;
      if (entry.value === value) return this.#index(entry);
    }
    return 0;
  }

  /** The index of an entry with the name, or 0. */
  findName(state: NameState): number {
    if (state.known !== undefined) return state.known.index;
    const { entries } = state;
    return entries.length === 0 ? 0 : this.#index(entries[entries.length - 1] as Entry);
  }

  /** Adds an entry; `value` must not hold on to a larger text. It must fit: `size` at most `maximum`. */
  add(state: NameState, value: string, size: number): void {
    this.#evict(this.maximum - size);
    const entry: Entry = { of: state, value, size, serial: this.#made++ };
    state.entries.push(entry);
    this.#entries.push(entry);
    this.#size += size;
  }

  resize(maximum: number): void {
    this.maximum = maximum;
    this.#evict(maximum);
  }

  #index(entry: Entry): number {
    return staticCount + this.#made - entry.serial;
  }

  #evict(room: number): void {
    while (this.#size > room) {
      const oldest = this.#entries[this.#first] as Entry;
      this.#entries[this.#first++] = undefined;
      // The oldest of all is the oldest of its name.
      oldest.of.entries.shift();
      this.#size -= oldest.size;
    }
    if (this.#first < 64 || this.#first < this.#entries.length / 2) return;
    this.#entries = this.#entries.slice(this.#first);
    this.#first = 0;
  }
}

/** RFC 7541, 4.1. */
export function entrySize(name: string, value: string): number {
  return name.length + value.length + fieldOverhead;
}

/** A number that is very likely another one for another value; of long values only places here and there are looked at. */
export function fingerprint(value: string): number {
  const { length } = value;
  const step = length <= 32 ? 1 : Math.ceil(length / 32);
  let hash = length + 1;
  for (let i = length - 1; i >= 0; i -= step) hash = (Math.imul(hash, 31) + value.charCodeAt(i)) | 0;
  return hash;
}
