import { HeaderList } from "../header-list.ts";

/**
 * The lines of a header section as it stood in the frames, `name, value, …`, without its pseudo-fields. nghttp2 has held
 * them to RFC 9113, 8.2: lower-case tokens, no control characters, no connection fields.
 */
export function responseLines(raw: readonly string[]): HeaderList {
  const lines = new HeaderList();
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] as string;
    if (name.charCodeAt(0) !== 0x3a) lines.append(name, raw[i + 1] as string);
  }
  return lines;
}
