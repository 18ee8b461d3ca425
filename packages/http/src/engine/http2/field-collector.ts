import { HeaderLine } from "../../header-list.ts";
import type { HeaderSink } from "./hpack/hpack-decoder.ts";
import type { TableField } from "./hpack/table-field.ts";
import { fieldKind, KnownField } from "./known-field.ts";

const colon = 0x3a;

/**
 * Takes the fields of one header block, of a request head or a trailer section, as HPACK gives them. One serves all blocks of a
 * connection, one after the other. What it finds wrong it remembers: the block has to be read to its end.
 */
export class FieldCollector implements HeaderSink {
  method: string | undefined = undefined;
  scheme: string | undefined = undefined;
  path: string | undefined = undefined;
  authority: string | undefined = undefined;
  protocol: string | undefined = undefined;
  /** The lines, the first place left free for Host; a Host among them is in `host` instead. */
  lines: HeaderLine[] = [];
  host: string | undefined = undefined;
  contentLength: string | undefined = undefined;
  expect: string | undefined = undefined;
  /** Fields without the pseudo-fields, and their bytes as HTTP/1.1 would write them. */
  count = 0;
  size = 0;
  /** Why the block is malformed (RFC 9113, 8.1.1), or "". */
  fault = "";
  faultCode = "";

  /** Forgets the block before. */
  begin(): void {
    this.method = this.scheme = this.path = this.authority = this.protocol = undefined;
    this.host = this.contentLength = this.expect = undefined;
    this.lines = [noLine];
    this.count = this.size = 0;
    this.fault = this.faultCode = "";
  }

  onField(name: string, value: string, _sensitive: boolean, entry: TableField | undefined): void {
    if (name.charCodeAt(0) === colon) {
      this.#pseudo(name, value);
      return;
    }
    const known = entry === undefined ? new KnownField(name, value) : ((entry.note as KnownField | undefined) ?? note(entry));
    this.count++;
    this.size += known.size;
    if (known.kind === fieldKind.ordinary) this.lines.push(known.line);
    else this.#special(known);
  }

  #special({ kind, line }: KnownField): void {
    switch (kind) {
      case fieldKind.malformed:
        this.#refuse("INVALID_HEADER", "a field that may not be in HTTP/2");
        return;
      case fieldKind.host:
        if (this.host !== undefined) this.#refuse("MULTIPLE_HOSTS", "the request has two Host fields");
        this.host = line.value;
        return;
      case fieldKind.contentLength:
        if (this.contentLength !== undefined) this.#refuse("MULTIPLE_CONTENT_LENGTHS", "the request has two Content-Length fields");
        this.contentLength = line.value;
        break;
      default:
        // Two expectations are one that nobody knows.
        this.expect = this.expect === undefined ? line.value : "";
    }
    this.lines.push(line);
  }

  #pseudo(name: string, value: string): void {
    if (this.count > 0) {
      this.#refuse("INVALID_PSEUDO_HEADER", "a pseudo-field stands after a field");
      return;
    }
    let before: string | undefined;
    switch (name) {
      case ":method":
        before = this.method;
        this.method = value;
        break;
      case ":path":
        before = this.path;
        this.path = value;
        break;
      case ":scheme":
        before = this.scheme;
        this.scheme = value;
        break;
      case ":authority":
        before = this.authority;
        this.authority = value;
        break;
      case ":protocol":
        before = this.protocol;
        this.protocol = value;
        break;
      default:
        this.#refuse("INVALID_PSEUDO_HEADER", "an unknown pseudo-field");
    }
    if (before !== undefined) this.#refuse("INVALID_PSEUDO_HEADER", "a pseudo-field stands twice");
  }

  /** The first fault is told. */
  #refuse(code: string, message: string): void {
    if (this.fault !== "") return;
    this.fault = message;
    this.faultCode = code;
  }
}

/** Stands for Host until that is known. */
const noLine = new HeaderLine("Host", "host", "", "", 0, 0);

function note(entry: TableField): KnownField {
  const known = new KnownField(entry.name, entry.value);
  entry.note = known;
  return known;
}
