import { isIPv6 } from "node:net";

/**
 * Host and optional port of a request, as in a Host field or an absolute target (RFC 3986, 3.2; RFC 9110, 7.2).
 *
 * Narrower than the RFC in the same places as Kestrel and HTTP.sys: no user information, no percent-encoding, none of
 * `* + , ; =` (a comma list is two hosts in one value), no IPv6 zone or future form, no colon without a port after it.
 */

/** 253 characters is the longest DNS name; a final dot and a port come on top. */
const maximumLength = 260;
const colon = 0x3a;

const hostCharacters = new Uint8Array(128);
for (const character of "!$&'()-._~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") {
  hostCharacters[character.charCodeAt(0)] = 1;
}

/** Whether `authority` is a non-empty host (name, IPv4, IPv6 in brackets) with an optional port from 0 to 65535. */
export function isAuthority(authority: string): boolean {
  const length = authority.length;
  if (length === 0 || length > maximumLength) return false;
  if (authority.charCodeAt(0) === 0x5b) return isBracketed(authority);
  for (let i = 0; i < length; i++) {
    const code = authority.charCodeAt(i);
    if (code < 128 && hostCharacters[code] === 1) continue;
    return code === colon && i > 0 && isPort(authority, i + 1);
  }
  return true;
}

/** The index of the colon before the port of a valid authority, or -1 when it has no port. */
export function portColon(authority: string): number {
  const last = authority.lastIndexOf(":");
  return last < 0 || authority.indexOf("]", last) >= 0 ? -1 : last;
}

function isBracketed(authority: string): boolean {
  const close = authority.indexOf("]");
  if (close < 0) return false;
  const address = authority.slice(1, close);
  if (address.includes("%") || !isIPv6(address)) return false;
  if (close + 1 === authority.length) return true;
  return authority.charCodeAt(close + 1) === colon && isPort(authority, close + 2);
}

function isPort(text: string, from: number): boolean {
  const digits = text.length - from;
  if (digits < 1 || digits > 5) return false;
  let port = 0;
  for (let i = from; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return false;
    port = port * 10 + digit;
  }
  return port <= 0xffff;
}
