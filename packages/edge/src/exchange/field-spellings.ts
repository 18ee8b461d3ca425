/** More dashes than that no name has that matters. */
const mostDashes = 6;

/**
 * `name` in lower case, and all its spellings with `_` in the place of `-`: CGI and its heirs (WSGI, Rack, PHP) read them as one field, so that what is held back or forbidden under one has to be under all.
 */
export function spellingsOf(name: string): readonly string[] {
  const parts = name.toLowerCase().split(/[-_]/);
  if (parts.length > mostDashes + 1) return [...new Set([name.toLowerCase(), parts.join("-"), parts.join("_")])];
  const [first = "", ...rest] = parts;
  let spellings = [first];
  for (const part of rest) spellings = spellings.flatMap((before) => [`${before}-${part}`, `${before}_${part}`]);
  return spellings;
}
