/** A value of WWW-Authenticate (RFC 9110, 11.6.1): the scheme and its parameters as quoted strings, whatever stands in them. */
export function challengeValue(scheme: string, parameters: Readonly<Record<string, string>>): string {
  const written = Object.entries(parameters).map(([name, value]) => `${name}="${quotable(value)}"`);
  return written.length === 0 ? scheme : `${scheme} ${written.join(", ")}`;
}

/** RFC 6750, 3 has no room for quotes, backslashes and bytes beyond ASCII; nor do others need them. */
function quotable(text: string): string {
  return text.replaceAll(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, "_");
}
