/** Cookies as ASP.NET Core reads and writes them, so that keys pass between it and this. */
import type { SessionAffinityConfig, SessionAffinityCookieConfig } from "@proxy/config";
import { isHeaderName, type HeaderList } from "@proxy/http";

/**
 * The value of the cookie called `name`, which is compared by case; "" when it is there and empty. The first one counts: it
 * belongs to the more specific path (RFC 6265, 5.4).
 */
export function cookieValue(headers: HeaderList, name: string): string | undefined {
  for (let index = headers.indexOf("cookie"); index >= 0; index = headers.indexOf("cookie", index + 1)) {
    const value = valueIn(headers.valueAt(index), name);
    if (value !== undefined) return value;
  }
  return undefined;
}

function valueIn(line: string, name: string): string | undefined {
  for (let at = line.indexOf(name); at >= 0; at = line.indexOf(name, at + 1)) {
    const equals = at + name.length;
    if (line.charCodeAt(equals) !== equalsSign || !beginsPair(line, at)) continue;
    const semicolon = line.indexOf(";", equals);
    const value = line.slice(equals + 1, semicolon < 0 ? line.length : semicolon).trim();
    return value.includes("%") ? unescaped(value) : value;
  }
  return undefined;
}

const equalsSign = 0x3d;

/** Whether only blanks stand between `at` and the pair before. */
function beginsPair(line: string, at: number): boolean {
  for (let i = at - 1; i >= 0; i--) {
    const code = line.charCodeAt(i);
    if (code === 0x3b) return true;
    if (code !== 0x20 && code !== 0x09) return false;
  }
  return true;
}

function unescaped(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

/**
 * The Set-Cookie line that gives `value` to the client, attributes in ASP.NET Core's order and case. `scheme` is that by which the
 * client came, `now` milliseconds since 1970.
 */
export function setCookie(scheme: "http" | "https", settings: SessionAffinityConfig, value: string, now: number): string {
  const cookie: SessionAffinityCookieConfig = settings.cookie ?? {};
  let line = `${settings.affinityKeyName}=${encodeURIComponent(value)}`;
  if (isSet(cookie.expiration)) line += `; expires=${new Date(now + cookie.expiration).toUTCString()}`;
  if (isSet(cookie.maxAge)) line += `; max-age=${Math.floor(cookie.maxAge / 1000)}`;
  if (cookie.domain) line += `; domain=${cookie.domain}`;
  line += `; path=${cookie.path || "/"}`;
  if (isSecure(cookie, scheme)) line += "; secure";
  if (cookie.sameSite && cookie.sameSite !== "Unspecified") line += `; samesite=${cookie.sameSite.toLowerCase()}`;
  if (cookie.httpOnly ?? true) line += "; httponly";
  return line;
}

function isSet(value: number | null | undefined): value is number {
  return value !== undefined && value !== null;
}

function isSecure(cookie: SessionAffinityCookieConfig, scheme: "http" | "https"): boolean {
  return cookie.securePolicy === "Always" || (cookie.securePolicy === "SameAsRequest" && scheme === "https");
}

/** What no cookie can be made of (RFC 6265, 4.1.1); undefined when all is well. */
export function cookieFault(settings: SessionAffinityConfig): string | undefined {
  const { affinityKeyName, cookie } = settings;
  // A cookie's name is a token, as a field's is.
  if (!isHeaderName(affinityKeyName)) return `${JSON.stringify(affinityKeyName)} can be no name of a cookie`;
  if (!isAttribute(cookie?.path)) return "the path of the cookie holds what no attribute can";
  if (!isAttribute(cookie?.domain)) return "the domain of the cookie holds what no attribute can";
  return undefined;
}

function isAttribute(value: string | null | undefined): boolean {
  return !value || /^[\x20-\x3a\x3c-\x7e]*$/.test(value);
}
