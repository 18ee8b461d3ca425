import { HeaderList } from "../header-list.ts";

/** As HTTP/1.1 would write it: nghttp2 holds destinations to the limit only once they have acknowledged it. */
export function fieldsSize(raw: readonly string[]): number {
  let size = raw.length * 2;
  for (const text of raw) size += text.length;
  return size;
}

/**
 * The lines of a header section as it stood in the frames, `name, value, …`, without its pseudo-fields. nghttp2 has held
 * them to RFC 9113, 8.2: names are lower-case tokens; a line whose value holds a control character is not among them. Blanks
 * around a value, which may not stand there, are trimmed, as HTTP/1.1 does.
 */
export function responseLines(raw: readonly string[]): HeaderList {
  const lines = new HeaderList();
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] as string;
    if (name.charCodeAt(0) !== 0x3a) lines.append(name, trimmed(raw[i + 1] as string));
  }
  return lines;
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
