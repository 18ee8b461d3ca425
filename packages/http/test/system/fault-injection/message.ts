/** A message at the beginning of a text, as far as it has come. */
export interface Message {
  readonly startLine: string;
  readonly status: number;
  readonly body: string;
  /** Where the message ends; undefined while it is not complete. */
  readonly end: number | undefined;
}

/** Reads one message (interim responses are passed over), trusting its framing; undefined until its head is there. */
export function readMessage(text: string, bodiless: boolean): Message | undefined {
  let from = 0;
  for (;;) {
    const headEnd = text.indexOf("\r\n\r\n", from);
    if (headEnd < 0) return undefined;
    const head = text.slice(from, headEnd);
    const startLine = head.slice(0, head.indexOf("\r\n") < 0 ? head.length : head.indexOf("\r\n"));
    const status = startLine.startsWith("HTTP/") ? Number(startLine.split(" ")[1]) : 0;
    const bodyStart = headEnd + 4;
    if (status >= 100 && status < 200 && status !== 101) {
      from = bodyStart;
      continue;
    }
    const message = { startLine, status };
    if (bodiless || status === 101 || status === 204 || status === 304) return { ...message, body: "", end: bodyStart };
    if (/\r\ntransfer-encoding: chunked/i.test(head)) return { ...message, ...readChunks(text, bodyStart) };
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
    const body = text.slice(bodyStart, bodyStart + length);
    return { ...message, body, end: body.length === length ? bodyStart + length : undefined };
  }
}

function readChunks(text: string, start: number): { body: string; end: number | undefined } {
  let body = "";
  let from = start;
  for (;;) {
    const line = text.indexOf("\r\n", from);
    if (line < 0) return { body, end: undefined };
    const size = Number.parseInt(text.slice(from, line), 16);
    if (size === 0) {
      const end = text.startsWith("\r\n", line + 2) ? line + 4 : text.indexOf("\r\n\r\n", line) + 4;
      return { body, end: end >= line + 4 && end <= text.length ? end : undefined };
    }
    if (text.length < line + 2 + size + 2) return { body: body + text.slice(line + 2), end: undefined };
    body += text.slice(line + 2, line + 2 + size);
    from = line + 2 + size + 2;
  }
}
