/**
 * Paths in which a destination may see another one than the gateway: it decodes delimiters, cuts parameters off, merges slashes, or drops what stands at the end of a name. A rule that
 * holds for `/admin` is then passed by `/x/..;/admin`, `/x%2f..%2fadmin` or `//admin`. Looked at in the normal form (`normalizePath` of @proxy/http): dot segments are gone there, also encoded
 * ones; `%00`, `%u002f` and raw `\` are refused by the front server.
 */

const slash = 0x2f;
const dot = 0x2e;

/** Whether some destination may read `path`, in its normal form, otherwise than the route that matched it. */
export function isAmbiguousPath(path: string): boolean {
  let hasEscapes = false;
  let before = 0;
  for (let i = 0, { length } = path; i < length; i++) {
    const code = path.charCodeAt(i);
    if (code === slash) {
      // Merged by some, and a host at the beginning to others; Windows drops dots at the end of a name.
      if (before === slash || before === dot) return true;
    } else if (code === 0x25) hasEscapes = true;
    // Parameters of a segment (RFC 3986, 3.3), which servlet containers cut off.
    else if (code === 0x3b || code === 0x5c) return true;
    before = code;
  }
  return before === dot || (hasEscapes && hasAmbiguousEscapes(path));
}

/** Controls, `#`, `%`, `.`, `/`, `;`, `?` and `\`; a blank at an end of a segment, which Windows drops. */
const delimiters = /%(?:[01][0-9a-f]|7f|2[35ef]|3[bf]|5c)|\/%20|%20(?:\/|$)/i;
const beyondAscii = /%[89a-f]/i;
/** C1 controls, and what code pages map to `/` and `\`: fraction slash, division slash, set minus. */
const taken = /[\u0080-\u009f\u2044\u2215\u2216]/;
/** In the compatibility form of a text without escapes: one that was not there, or a segment of dots. */
const delimitersOfForm = /\\|%[0-9a-f]{2}|(?:^|\/)\.\.?(?:\/|$)/i;

/** Whether what is percent-encoded in `path` may be read as a delimiter or a dot segment: as it is, or because it is no UTF-8 (overlong `/`) or compatible with one (full-width `/`). */
export function hasAmbiguousEscapes(path: string): boolean {
  if (delimiters.test(path)) return true;
  if (!beyondAscii.test(path)) return false;
  let text: string;
  try {
    text = decodeURIComponent(path);
  } catch {
    return true;
  }
  if (taken.test(text)) return true;
  const form = text.normalize("NFKC");
  return form !== text && (delimitersOfForm.test(form) || slashes(form) !== slashes(text));
}

function slashes(text: string): number {
  let count = 0;
  for (let at = text.indexOf("/"); at >= 0; at = text.indexOf("/", at + 1)) count++;
  return count;
}
