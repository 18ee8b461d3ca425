import { isHeaderName } from "@proxy/http";

export interface CookieAttributes {
  readonly name: string;
  /** Default: the host alone that sets it. */
  readonly domain?: string | undefined;
  /** Default `/`. */
  readonly path?: string | undefined;
  /** Default `Lax`. */
  readonly sameSite?: "Lax" | "Strict" | "None" | undefined;
  /** Default true. */
  readonly secure?: boolean | undefined;
}

/** The Set-Cookie line that gives `value` (RFC 6265, 4.1): HttpOnly always. `maxAge` in seconds; undefined: until the browser ends. */
export function setCookieLine(attributes: CookieAttributes, value: string, maxAge?: number): string {
  const { name, domain, path = "/", sameSite = "Lax", secure = true } = attributes;
  let line = `${name}=${value}; Path=${path}`;
  if (domain !== undefined) line += `; Domain=${domain}`;
  if (maxAge !== undefined) line += `; Max-Age=${Math.max(0, Math.floor(maxAge))}`;
  if (secure) line += "; Secure";
  return `${line}; HttpOnly; SameSite=${sameSite}`;
}

/** The line that has the client forget the cookie. */
export function clearCookieLine(attributes: CookieAttributes): string {
  return setCookieLine(attributes, "", 0);
}

/** `plain` with the prefix that has browsers hold the attributes to what they say (RFC 6265bis, 4.1.3), as far as they allow one. */
export function prefixedName(plain: string, { domain, path = "/", secure = true }: Omit<CookieAttributes, "name">): string {
  if (!secure) return plain;
  return `${domain === undefined && path === "/" ? "__Host-" : "__Secure-"}${plain}`;
}

/** What no browser would keep, or no line can say; undefined when all is well. */
export function cookieAttributesFault({ name, domain, path = "/", sameSite = "Lax", secure = true }: CookieAttributes): string | undefined {
  if (!isHeaderName(name)) return "can be no name of a cookie";
  const lower = name.toLowerCase();
  if (lower.startsWith("__host-") && (!secure || domain !== undefined || path !== "/")) return "begins with __Host-, which wants Secure, the path / and no Domain";
  if (lower.startsWith("__secure-") && !secure) return "begins with __Secure-, which wants Secure";
  if (sameSite === "None" && !secure) return "has SameSite None, which wants Secure";
  return undefined;
}
