/** One field name, spelled with other characters in the place of `-`: CGI and its heirs (FastCGI, WSGI, Rack, PHP) make `_` of all of them, and read them as one field. */
import type { HeaderList } from "@proxy/http";

/** Whether `key` is read as `name` there. Both in lower case. */
export function isSpellingOf(key: string, name: string): boolean {
  if (key.length !== name.length) return false;
  for (let i = 0; i < key.length; i++) {
    if (key.charCodeAt(i) !== name.charCodeAt(i) && !(isJoint(key, i) && isJoint(name, i))) return false;
  }
  return true;
}

/** Removes `name`, in whatever spelling. */
export function removeSpellings(headers: HeaderList, name: string): void {
  for (let i = 0; i < headers.size; i++) {
    if (!isSpellingOf(headers.keyAt(i), name)) continue;
    headers.filter((key) => !isSpellingOf(key, name));
    return;
  }
}

/** Whether neither a letter nor a digit stands there. */
export function isJoint(key: string, at: number): boolean {
  const code = key.charCodeAt(at);
  return !((code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39));
}
