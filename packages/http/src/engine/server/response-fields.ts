import { ExchangeStateError } from "../../errors.ts";
import { isHeaderName } from "../../field-grammar.ts";
import type { HeaderLine, HeaderList } from "../../header-list.ts";
import { contentLength } from "../body-framing.ts";

/**
 * Writes the fields of a response. Lines that came from a message of a peer were checked when it was parsed and
 * go out as slices of its text; all others are checked here, the last place where text can be stopped that
 * would be read as another line or another message (CWE-113).
 */
export class ResponseFieldWriter {
  /** The Content-Length among the fields last written, or -1. */
  contentLength = -1;
  /** Whether there was a Date. */
  hasDate = false;

  /**
   * The lines of `headers` without those that are the server's: Connection, Keep-Alive, Transfer-Encoding, and
   * Content-Length unless `keepLength`. Throws an `ExchangeStateError` for what cannot be written.
   */
  write(headers: HeaderList, keepLength: boolean): string {
    this.contentLength = -1;
    this.hasDate = false;
    const { size } = headers;
    let text = "";
    let source = "";
    let from = 0;
    let to = 0;
    for (let i = 0; i < size; i++) {
      const line = headers.lineAt(i);
      const { key } = line;
      if (key === "content-length") {
        this.#takeLength(line);
        if (!keepLength) continue;
      } else if (key === "date") {
        this.hasDate = true;
      } else if (key === "connection" || key === "transfer-encoding" || key === "keep-alive") {
        continue;
      }
      if (line.source === "") {
        if (to > from) text += source.slice(from, to);
        from = to = 0;
        text += checkedLine(line);
      } else if (line.start === to && line.source === source) {
        to = line.end;
      } else {
        if (to > from) text += source.slice(from, to);
        source = line.source;
        from = line.start;
        to = line.end;
      }
    }
    return to > from ? text + source.slice(from, to) : text;
  }

  #takeLength(line: HeaderLine): void {
    if (this.contentLength >= 0) throw new ExchangeStateError("the response has two Content-Length fields");
    this.contentLength = contentLength(line.value);
    if (this.contentLength < 0) throw new ExchangeStateError("the Content-Length of the response is invalid");
  }
}

/** Fields that a trailer section must not hold (RFC 9110, 6.5.1). */
const forbiddenTrailers = new Set([
  "connection", "content-encoding", "content-length", "content-range", "content-type", "host", "keep-alive", "te",
  "trailer", "transfer-encoding", "upgrade",
]);

/** The trailer section: fields that may not stand there are left out. Throws as `write` does. */
export function trailerFields(trailers: HeaderList): string {
  let text = "";
  for (let i = 0; i < trailers.size; i++) {
    const line = trailers.lineAt(i);
    if (!forbiddenTrailers.has(line.key)) text += checkedLine(line);
  }
  return text;
}

function checkedLine(line: HeaderLine): string {
  const { checked, name } = line;
  if (checked !== "") return checked;
  if (!isHeaderName(name)) throw new ExchangeStateError("a header name of the response holds an illegal character");
  throw new ExchangeStateError(`the response header ${name} holds an illegal character`);
}
