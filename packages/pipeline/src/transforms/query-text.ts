/** Raw queries (`?a=1&b`), changed parameter by parameter: what a transform does not name keeps its bytes and its place. */
import { decodePercent, type DecodeOptions } from "../routing/path-text.ts";

const decoding: DecodeOptions = { keepSlash: false, plusIsBlank: true };

/** `query` without the parameters called `name`. Names ignore case. */
export function removeParameter(query: string, name: string): string {
  return replaceParameters(query, name.toLowerCase(), undefined) ?? query;
}

/** `query` with one parameter `name` of that value: where the first one stood, in its spelling, or at the end. */
export function setParameter(query: string, name: string, value: string): string {
  const encoded = encodeURIComponent(value);
  return replaceParameters(query, name.toLowerCase(), encoded) ?? append(query, encodeURIComponent(name), encoded);
}

/** `query` with one more parameter at the end. */
export function appendParameter(query: string, name: string, value: string): string {
  return append(query, encodeURIComponent(name), encodeURIComponent(value));
}

function append(query: string, name: string, value: string): string {
  return query.length < 2 ? `?${name}=${value}` : `${query}&${name}=${value}`;
}

/**
 * Gives the first parameter with `key` the encoded value, or takes it out when that is undefined, and takes the others
 * out. Undefined when there is none.
 */
function replaceParameters(query: string, key: string, value: string | undefined): string | undefined {
  let result = "";
  let keptFrom = 1;
  let found = false;
  for (let begin = 1; begin < query.length; ) {
    const ampersand = query.indexOf("&", begin);
    const end = ampersand < 0 ? query.length : ampersand;
    const nameEnd = endOfName(query, begin, end);
    if (end > begin && isCalled(query, begin, nameEnd, key)) {
      result += query.slice(keptFrom, begin);
      if (value !== undefined && !found) result += `${query.slice(begin, nameEnd)}=${value}${ampersand < 0 ? "" : "&"}`;
      keptFrom = end + 1;
      found = true;
    }
    begin = end + 1;
  }
  if (!found) return undefined;
  result += query.slice(keptFrom);
  if (result.endsWith("&")) result = result.slice(0, -1);
  return result === "" ? "" : `?${result}`;
}

function endOfName(query: string, begin: number, end: number): number {
  const equals = query.indexOf("=", begin);
  return equals < 0 || equals > end ? end : equals;
}

function isCalled(query: string, begin: number, end: number, key: string): boolean {
  const name = query.slice(begin, end);
  if (name.includes("%") || name.includes("+")) return decodePercent(name, decoding).toLowerCase() === key;
  return name.length === key.length && (name === key || name.toLowerCase() === key);
}
