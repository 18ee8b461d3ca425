/**
 * `text` without anything that a terminal, a log reader or a person could take for something else: control
 * characters, line separators and bidirectional marks become `\xNN` or `\uNNNN`. Printable text of any script stays.
 */
export function escapeLogText(text: string): string {
  let clean = "";
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (!isTreacherous(code)) continue;
    clean += text.slice(from, i) + escaped(code);
    from = i + 1;
  }
  return from === 0 ? text : clean + text.slice(from);
}

function isTreacherous(code: number): boolean {
  return (
    code < 0x20 ||
    (code >= 0x7f && code <= 0x9f) ||
    code === 0x61c ||
    (code >= 0x200b && code <= 0x200f) ||
    (code >= 0x2028 && code <= 0x202e) ||
    (code >= 0x2066 && code <= 0x2069) ||
    code === 0xfeff
  );
}

function escaped(code: number): string {
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
}
