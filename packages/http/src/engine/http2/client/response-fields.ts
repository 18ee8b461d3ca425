import { HeaderLine, HeaderList } from "../../../header-list.ts";
import { contentLength } from "../../body-framing.ts";
import type { HeaderSink } from "../hpack/hpack-decoder.ts";
import type { TableField } from "../hpack/table-field.ts";
import { fieldKind, KnownField } from "../known-field.ts";

const colon = 0x3a;

/**
 * Takes the fields of one header block of a response, of a head or a trailer section, as HPACK gives them. One serves all blocks of a
 * connection, one after the other. What it finds wrong it remembers: the block has to be read to its end. Blanks around a value, which may
 * not stand there, are trimmed, as HTTP/1.1 does: nobody can take them for anything else.
 */
export class ResponseFields implements HeaderSink {
  /** `:status`, or 0. */
  status = 0;
  /** Content-Length, or -1. */
  length = -1;
  /** A field that says how long a message is, or for whom: of no use in trailers but to confuse. */
  framing = false;
  /** Fields without the pseudo-field, and their bytes as HTTP/1.1 would write them. */
  count = 0;
  size = 0;
  /** Why the block is malformed (RFC 9113, 8.1.1), or "". */
  fault = "";
  #lines: HeaderLine[] = [];

  /** Forgets the block before. */
  begin(): void {
    this.status = this.count = this.size = 0;
    this.length = -1;
    this.framing = false;
    this.fault = "";
    this.#lines = [];
  }

  /** The fields of the block, once. */
  takeList(): HeaderList {
    return HeaderList.fromLines(this.#lines);
  }

  onField(name: string, value: string, _sensitive: boolean, entry: TableField | undefined): void {
    if (name.charCodeAt(0) === colon) {
      this.#pseudo(name, value);
      return;
    }
    const known = entry === undefined ? new KnownField(name, value) : ((entry.note as KnownField | undefined) ?? note(entry));
    this.count++;
    this.size += known.size;
    if (known.kind === fieldKind.ordinary) this.#lines.push(known.line);
    else this.#special(known);
  }

  #special({ kind, line }: KnownField): void {
    switch (kind) {
      case fieldKind.malformed: {
        const value = trimmed(line.value);
        if (value === line.value) {
          this.#refuse("a field that may not be in HTTP/2");
          return;
        }
        const again = new KnownField(line.name, value);
        if (again.kind === fieldKind.ordinary) this.#lines.push(again.line);
        else this.#special(again);
        return;
      }
      case fieldKind.contentLength:
        if (this.framing && this.length >= 0) this.#refuse("there are two Content-Length fields");
        this.length = contentLength(line.value);
        if (this.length < 0) this.#refuse("the Content-Length field is invalid");
        this.framing = true;
        break;
      case fieldKind.host:
        this.framing = true;
        break;
      default:
        break;
    }
    this.#lines.push(line);
  }

  #pseudo(name: string, value: string): void {
    if (name !== ":status") this.#refuse("a pseudo-field that is not of a response");
    else if (this.count > 0) this.#refuse("a pseudo-field stands after a field");
    else if (this.status !== 0) this.#refuse("a pseudo-field stands twice");
    else {
      this.status = readStatus(value);
      if (this.status === 0) this.#refuse("the status is not a number of three digits");
    }
  }

  /** The first fault is told. */
  #refuse(message: string): void {
    if (this.fault === "") this.fault = message;
  }
}

function note(entry: TableField): KnownField {
  const known = new KnownField(entry.name, entry.value);
  entry.note = known;
  return known;
}

function readStatus(value: string): number {
  if (value.length !== 3) return 0;
  let status = 0;
  for (let i = 0; i < 3; i++) {
    const digit = value.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return 0;
    status = status * 10 + digit;
  }
  return status < 100 ? 0 : status;
}

function trimmed(value: string): string {
  let start = 0;
  let end = value.length;
  while (start < end && isBlank(value.charCodeAt(start))) start++;
  while (end > start && isBlank(value.charCodeAt(end - 1))) end--;
  return start === 0 && end === value.length ? value : value.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
