import { contentLength } from "../engine/body-framing.ts";
import { ExchangeStateError } from "../errors.ts";
import type { ResponseHead } from "../exchange.ts";
import { isHeaderName, isHeaderValue } from "../field-grammar.ts";
import type { HeaderLine, HeaderList } from "../header-list.ts";

/** Fields about an HTTP/1.1 connection, which HTTP/2 does not have (RFC 9113, 8.2.2). */
const connectionFields: ReadonlySet<string> = new Set([
  "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "http2-settings", "te",
]);

/** Fields that a trailer section must not hold (RFC 9110, 6.5.1). */
const forbiddenTrailers: ReadonlySet<string> = new Set([
  ...connectionFields, "content-encoding", "content-length", "content-range", "content-type", "host", "trailer",
]);

/** A head in the form that `respond` takes. */
export interface Http2ResponseFields {
  readonly lines: (string | number)[];
  /** Content-Length, or -1. */
  readonly contentLength: number;
}

/** Throws an `ExchangeStateError` for what cannot be written. `length` is added when the head names none. */
export function responseFields(head: ResponseHead, keepLength: boolean, length: number | undefined): Http2ResponseFields {
  const { headers } = head;
  const lines: (string | number)[] = [":status", head.status];
  let declared = -1;
  for (let i = 0; i < headers.size; i++) {
    const line = headers.lineAt(i);
    const { key } = line;
    if (connectionFields.has(key)) continue;
    if (key === "content-length") {
      if (declared >= 0) throw new ExchangeStateError("the response has two Content-Length fields");
      declared = contentLength(line.value);
      if (declared < 0) throw new ExchangeStateError("the Content-Length of the response is invalid");
      if (!keepLength) continue;
    }
    check(line);
    lines.push(key, line.value);
  }
  if (declared < 0 && length !== undefined) lines.push("content-length", String(length));
  return { lines, contentLength: declared };
}

/** Fields of an interim response or of a trailer section, in the form that Node takes for those. */
export function fieldObject(headers: HeaderList, trailers: boolean): Record<string, string | string[]> {
  const fields: Record<string, string | string[]> = Object.create(null) as Record<string, string | string[]>;
  for (let i = 0; i < headers.size; i++) {
    const line = headers.lineAt(i);
    const { key } = line;
    if ((trailers ? forbiddenTrailers : connectionFields).has(key)) continue;
    check(line);
    const before = fields[key];
    if (before === undefined) fields[key] = line.value;
    else if (typeof before === "string") fields[key] = [before, line.value];
    else before.push(line.value);
  }
  return fields;
}

function check({ name, value }: HeaderLine): void {
  if (!isHeaderName(name)) throw new ExchangeStateError("a header name of the response holds an illegal character");
  if (!isHeaderValue(value)) throw new ExchangeStateError(`the response header ${name} holds an illegal character`);
}
