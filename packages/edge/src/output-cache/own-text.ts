const beyondLatin1 = /[^\u0000-\u00ff]/;

/**
 * The same text in memory of its own. What is cut out of a message keeps all of the message alive: kept for long, that would be up to 32 KiB for a few characters, which
 * no limit counts.
 */
export function ownText(text: string): string {
  const encoding = beyondLatin1.test(text) ? "utf16le" : "latin1";
  return Buffer.from(text, encoding).toString(encoding);
}
