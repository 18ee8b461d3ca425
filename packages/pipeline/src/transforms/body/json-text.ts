/** The character that texts begin and end with. */
export const jsonQuote = 0x22;

const backslash = 0x5c;
const colon = 0x3a;

/** Where the text that begins at `begin` is over; the end of the whole where it is not. */
export function endOfText(text: string, begin: number): number {
  let i = begin + 1;
  for (; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === backslash) i++;
    else if (code === jsonQuote) return i + 1;
  }
  return i;
}

/** Whether an object in the JSON text, which reads as `value`, has two members of one name: of those `value` holds the last. */
export function repeatsNames(text: string, value: unknown): boolean {
  return membersIn(text) !== membersOf(value);
}

function membersIn(text: string): number {
  let count = 0;
  for (let i = 0; i < text.length; ) {
    const code = text.charCodeAt(i);
    if (code === jsonQuote) i = endOfText(text, i);
    else {
      if (code === colon) count++;
      i++;
    }
  }
  return count;
}

function membersOf(value: unknown): number {
  let count = 0;
  const left: unknown[] = [value];
  while (left.length > 0) {
    const each = left.pop();
    if (typeof each !== "object" || each === null) continue;
    const values = Object.values(each) as unknown[];
    if (!Array.isArray(each)) count += values.length;
    for (const inner of values) if (typeof inner === "object") left.push(inner);
  }
  return count;
}
