/**
 * Grammar of methods, field names, field values and comma lists (RFC 9110, 5.1, 5.5, 5.6 and 9.1), as table look-ups
 * over char codes. Strings are latin1 views of the wire: each character is one byte, and a code above 0xFF is never valid.
 */

const tokenCharacter = 1;
const valueCharacter = 2;

const classes = new Uint8Array(256);
for (let code = 0x21; code < 0x7f; code++) classes[code] = valueCharacter;
for (let code = 0x80; code <= 0xff; code++) classes[code] = valueCharacter;
classes[0x20] = valueCharacter;
classes[0x09] = valueCharacter;
for (const character of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") {
  classes[character.charCodeAt(0)] = tokenCharacter | valueCharacter;
}

/** Whether `text` is a token: at least one character, none of them a delimiter (RFC 9110, 5.6.2). */
export function isToken(text: string): boolean {
  const length = text.length;
  if (length === 0) return false;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0xff || ((classes[code] as number) & tokenCharacter) === 0) return false;
  }
  return true;
}

/** Whether `name` is a field name (RFC 9110, 5.1). Pseudo fields of HTTP/2 (`:path`) are not. */
export function isHeaderName(name: string): boolean {
  return isToken(name);
}

/**
 * Whether `value` can stand in a field line: no control character but HTAB, bytes 0x80-0xFF allowed (obs-text).
 * Surrounding blanks are the caller's to trim; inside they are part of the value (RFC 9110, 5.5).
 */
export function isHeaderValue(value: string): boolean {
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code > 0xff || classes[code] === 0) return false;
  }
  return true;
}

/** Whether `reason` can stand in a status line (RFC 9112, 4): the same characters as a field value. */
export function isReasonPhrase(reason: string): boolean {
  return isHeaderValue(reason);
}

/** Whether `method` is a method: a token, of any length and case (RFC 9110, 9.1). */
export function isMethod(method: string): boolean {
  return isToken(method);
}

/**
 * The elements of a comma list without quoted strings, such as Connection, Upgrade or Trailer (RFC 9110, 5.6.1): blanks
 * around them trimmed, empty ones left out, spelling kept. They are not checked to be tokens.
 */
export function listElements(value: string): string[] {
  const elements: string[] = [];
  for (let from = 0; from <= value.length; ) {
    const comma = value.indexOf(",", from);
    const end = comma < 0 ? value.length : comma;
    const element = trimBlanks(value, from, end);
    if (element !== "") elements.push(element);
    from = end + 1;
  }
  return elements;
}

/** Whether a comma list holds `token`, which is lower case; the list's spelling does not matter. Allocates nothing. */
export function hasListElement(value: string, token: string): boolean {
  const length = token.length;
  for (let from = 0; from < value.length; ) {
    const comma = value.indexOf(",", from);
    let end = comma < 0 ? value.length : comma;
    const next = end + 1;
    while (from < end && isBlank(value.charCodeAt(from))) from++;
    while (end > from && isBlank(value.charCodeAt(end - 1))) end--;
    if (end - from === length && equalsIgnoringCase(value, from, token)) return true;
    from = next;
  }
  return false;
}

function trimBlanks(text: string, start: number, stop: number): string {
  let from = start;
  let end = stop;
  while (from < end && isBlank(text.charCodeAt(from))) from++;
  while (end > from && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(from, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

function equalsIgnoringCase(text: string, from: number, lower: string): boolean {
  for (let i = 0; i < lower.length; i++) {
    let code = text.charCodeAt(from + i);
    if (code >= 0x41 && code <= 0x5a) code += 0x20;
    if (code !== lower.charCodeAt(i)) return false;
  }
  return true;
}
