import { ExchangeStateError } from "../../errors.ts";
import { isHeaderName } from "../../field-grammar.ts";
import type { HeaderLine, HeaderList } from "../../header-list.ts";
import { contentLength } from "../body-framing.ts";

/** Fields about an HTTP/1.1 connection, which HTTP/2 does not have (RFC 9113, 8.2.2). */
const connectionFields: ReadonlySet<string> = new Set([
  "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "http2-settings", "te",
]);

/** Fields that a trailer section must not hold (RFC 9110, 6.5.1). */
const forbiddenTrailers: ReadonlySet<string> = new Set([
  ...connectionFields, "content-encoding", "content-length", "content-range", "content-type", "host", "trailer",
]);

/**
 * The fields of a head or a trailer section that may be written: looked at as a whole before the first is encoded, since HPACK's
 * tables cannot take back half a block. One serves any number of them.
 */
export class OutgoingFields {
  readonly lines: HeaderLine[] = [];
  /** The Content-Length among the fields, kept or not, or -1. */
  contentLength = -1;
  hasDate = false;

  /** The fields of a response head. Throws an `ExchangeStateError` for what cannot be written. */
  head(headers: HeaderList, keepLength: boolean): void {
    const { lines } = this;
    this.contentLength = -1;
    this.hasDate = false;
    lines.length = 0;
    for (let i = 0; i < headers.size; i++) {
      const line = headers.lineAt(i);
      const { key } = line;
      if (key === "content-length") {
        this.#takeLength(line);
        if (!keepLength) continue;
      } else if (key === "date") {
        this.hasDate = true;
      } else if (connectionFields.has(key)) {
        continue;
      }
      check(line);
      lines.push(line);
    }
  }

  /** Those of a trailer section; fields that may not stand there are left out. Throws as `head` does. */
  trailers(trailers: HeaderList): void {
    const { lines } = this;
    lines.length = 0;
    for (let i = 0; i < trailers.size; i++) {
      const line = trailers.lineAt(i);
      if (forbiddenTrailers.has(line.key)) continue;
      check(line);
      lines.push(line);
    }
  }

  #takeLength(line: HeaderLine): void {
    if (this.contentLength >= 0) throw new ExchangeStateError("the response has two Content-Length fields");
    this.contentLength = contentLength(line.value);
    if (this.contentLength < 0) throw new ExchangeStateError("the Content-Length of the response is invalid");
  }
}

/** Lines of a message from a peer were checked when it was parsed. */
function check(line: HeaderLine): void {
  if (line.source !== "" || line.checked !== "") return;
  const { name } = line;
  if (!isHeaderName(name)) throw new ExchangeStateError("a header name of the response holds an illegal character");
  throw new ExchangeStateError(`the response header ${name} holds an illegal character`);
}
