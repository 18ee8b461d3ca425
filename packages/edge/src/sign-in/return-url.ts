/** Longer ones are not kept over a sign-in: they stand in a cookie meanwhile. */
const longest = 1536;

/**
 * `text` where it is a path of this site, with or without query and fragment, ready for a Location field; undefined for all that a browser
 * could take for another place: `//host`, `/\host`, schemes, control characters that it would leave out.
 */
export function localUrl(text: string | undefined): string | undefined {
  if (text === undefined || text.length > longest || !/^\/(?![/\\])[\x21\x23-\x5b\x5d\x5f\x61-\x7a\x7c\x7e]*$/.test(text)) return undefined;
  return URL.canParse(text, base) && new URL(text, base).origin === base ? text : undefined;
}

const base = "https://site.invalid";
