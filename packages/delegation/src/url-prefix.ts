/**
 * A URL prefix in the one form in which it is compared and handed on: lower case as HTTP.sys compares without regard to it, and with the
 * slash at its end that HTTP.sys wants.
 */
export function normalizeUrlPrefix(prefix: string): string {
  const lower = prefix.toLowerCase();
  return lower.endsWith("/") ? lower : `${lower}/`;
}
