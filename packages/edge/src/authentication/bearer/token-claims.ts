/** Claims of a token as texts: `scope: "a b"` is one value, a list has several, numbers and booleans are written, objects by paths: `realm_access.roles`. */

/** Deeper ones say nothing that a policy could name. */
const deepest = 4;

export function claimsOf(payload: Readonly<Record<string, unknown>>): ReadonlyMap<string, readonly string[]> {
  const claims = new Map<string, readonly string[]>();
  const nested: [string, Readonly<Record<string, unknown>>][] = [];
  for (const [name, value] of Object.entries(payload)) {
    if (isObject(value)) nested.push([name, value]);
    else add(claims, name, value);
  }
  // Behind the others: a claim whose name has a dot is not hidden by one inside.
  for (const [name, value] of nested) addNested(claims, name, value, 1);
  return claims;
}

function addNested(claims: Map<string, readonly string[]>, prefix: string, value: Readonly<Record<string, unknown>>, depth: number): void {
  if (depth >= deepest) return;
  for (const [name, member] of Object.entries(value)) {
    const path = `${prefix}.${name}`;
    if (isObject(member)) addNested(claims, path, member, depth + 1);
    else if (!claims.has(path)) add(claims, path, member);
  }
}

function add(claims: Map<string, readonly string[]>, name: string, value: unknown): void {
  if (typeof value === "string") claims.set(name, [value]);
  else if (Array.isArray(value)) {
    const texts = value.flatMap((item: unknown) => textOf(item) ?? []);
    if (texts.length > 0) claims.set(name, texts);
  } else {
    const text = textOf(value);
    if (text !== undefined) claims.set(name, [text]);
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
