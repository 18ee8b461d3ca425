/**
 * What may stand in a path without encoding (RFC 3986, 3.3: unreserved, sub-delims, `:`, `@`) and the slash. The
 * percent sign is not among them: the input is a decoded path, so a `%` in it is data.
 */
const safe = new Uint8Array(128);
for (const character of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@/") {
  safe[character.charCodeAt(0)] = 1;
}

/**
 * Encodes a decoded path for a URL: UTF-8, every byte that RFC 3986 does not allow in a path as `%XX`. A lone
 * surrogate becomes U+FFFD. A path that needs nothing is returned as it is.
 */
export function encodePath(path: string): string {
  for (let i = 0; i < path.length; i++) {
    const code = path.charCodeAt(i);
    if (code >= 128 || safe[code] === 0) return path.slice(0, i) + encodeRest(path.slice(i));
  }
  return path;
}

function encodeRest(text: string): string {
  let encoded = "";
  for (const byte of Buffer.from(text, "utf8")) {
    encoded +=
      byte < 128 && safe[byte] === 1
        ? String.fromCharCode(byte)
        : `%${byte < 16 ? "0" : ""}${byte.toString(16).toUpperCase()}`;
  }
  return encoded;
}
