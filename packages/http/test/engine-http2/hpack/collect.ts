import { type HeaderSink, HpackDecoder } from "../../../src/engine/http2/hpack/hpack-decoder.ts";
import type { TableField } from "../../../src/engine/http2/hpack/table-field.ts";

export type Field = readonly [name: string, value: string, sensitive?: true];

/** Keeps the fields of a block. */
export class FieldCollector implements HeaderSink {
  readonly fields: Field[] = [];
  readonly entries: (TableField | undefined)[] = [];

  onField(name: string, value: string, sensitive: boolean, entry: TableField | undefined): void {
    this.fields.push(sensitive ? [name, value, true] : [name, value]);
    this.entries.push(entry);
  }
}

export function decoder(maxTableSize = 4096, maxHeaderListSize = 1 << 20): HpackDecoder {
  return new HpackDecoder({ maxTableSize, maxHeaderListSize });
}

/** The fields of a whole block. */
export function fieldsOf(of: HpackDecoder, block: Buffer): readonly Field[] {
  const collector = new FieldCollector();
  of.decode(block, 0, block.length, collector);
  return collector.fields;
}

export function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(/\s/g, ""), "hex");
}
