import { isHeaderName, isHeaderValue } from "../../field-grammar.ts";
import { HeaderLine } from "../../header-list.ts";
import { headerKey } from "../../header-name.ts";

/** What a field is to the one who reads a request head. */
export const fieldKind = {
  ordinary: 0,
  host: 1,
  contentLength: 2,
  expect: 3,
  /** Makes its message malformed, as does a name or a value that cannot be one. */
  malformed: 4,
} as const;

export type FieldKind = (typeof fieldKind)[keyof typeof fieldKind];

/** A field that was looked at: most come again with each request of a connection, as an entry of HPACK's table. */
export class KnownField {
  readonly line: HeaderLine;
  readonly kind: FieldKind;
  /** As HTTP/1.1 would write it: for the limit of a head. */
  readonly size: number;

  constructor(name: string, value: string) {
    this.line = new HeaderLine(name, headerKey(name), value, "", 0, 0);
    this.kind = kindOf(name, value);
    this.size = name.length + value.length + ": \r\n".length;
  }
}

/** Those that concern a connection of HTTP/1.1 make a message malformed (RFC 9113, 8.2.2). */
const kinds = new Map<string, FieldKind>([
  ["connection", fieldKind.malformed],
  ["keep-alive", fieldKind.malformed],
  ["proxy-connection", fieldKind.malformed],
  ["transfer-encoding", fieldKind.malformed],
  ["upgrade", fieldKind.malformed],
  ["host", fieldKind.host],
  ["content-length", fieldKind.contentLength],
  ["expect", fieldKind.expect],
]);

function kindOf(name: string, value: string): FieldKind {
  const kind = kinds.get(name);
  if (kind === fieldKind.malformed || !isLowerCaseName(name) || !isTrimmedValue(value)) return fieldKind.malformed;
  // Beside the ones above, and for this value alone.
  if (name === "te" && value.toLowerCase() !== "trailers") return fieldKind.malformed;
  return kind ?? fieldKind.ordinary;
}

/** RFC 9113, 8.2.1: no upper case; otherwise as everywhere. */
function isLowerCaseName(name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    if (code >= 0x41 && code <= 0x5a) return false;
  }
  return isHeaderName(name);
}

/** RFC 9113, 8.2.1: no blank at the ends either. */
function isTrimmedValue(value: string): boolean {
  const { length } = value;
  if (length === 0) return true;
  return !isBlank(value.charCodeAt(0)) && !isBlank(value.charCodeAt(length - 1)) && isHeaderValue(value);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
