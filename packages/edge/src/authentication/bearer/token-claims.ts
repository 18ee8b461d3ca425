/** Claims of a token as texts: `scope: "a b"` is one value, a list has several, numbers and booleans are written, objects by paths: `realm_access.roles`. */

type Payload = Readonly<Record<string, unknown>>;
type Values = readonly string[];

/** Deeper ones say nothing that a policy could name. */
const deepest = 4;

/** Made of what is asked for: policies and fields name a claim or two of a token's dozen. */
export class TokenClaims implements ReadonlyMap<string, Values> {
  readonly #payload: Payload;
  #all: ReadonlyMap<string, Values> | undefined;

  /** `payload` is not changed any more. */
  constructor(payload: Payload) {
    this.#payload = payload;
  }

  get(name: string): Values | undefined {
    if (this.#all !== undefined) return this.#all.get(name);
    const own = Object.hasOwn(this.#payload, name) ? valuesOf(this.#payload[name]) : undefined;
    return own ?? (name.includes(".") ? this.#whole().get(name) : undefined);
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  get size(): number {
    return this.#whole().size;
  }

  forEach(use: (values: Values, name: string, claims: ReadonlyMap<string, Values>) => void): void {
    for (const [name, values] of this.#whole()) use(values, name, this);
  }

  entries(): MapIterator<[string, Values]> {
    return this.#whole().entries();
  }

  keys(): MapIterator<string> {
    return this.#whole().keys();
  }

  values(): MapIterator<Values> {
    return this.#whole().values();
  }

  [Symbol.iterator](): MapIterator<[string, Values]> {
    return this.#whole().entries();
  }

  #whole(): ReadonlyMap<string, Values> {
    return (this.#all ??= claimsOf(this.#payload));
  }
}

function claimsOf(payload: Payload): ReadonlyMap<string, Values> {
  const claims = new Map<string, Values>();
  const nested: [string, Payload][] = [];
  for (const [name, value] of Object.entries(payload)) {
    if (isObject(value)) nested.push([name, value]);
    else add(claims, name, value);
  }
  // Behind the others: a claim whose name has a dot is not hidden by one inside.
  for (const [name, value] of nested) addNested(claims, name, value, 1);
  return claims;
}

function addNested(claims: Map<string, Values>, prefix: string, value: Payload, depth: number): void {
  if (depth >= deepest) return;
  for (const [name, member] of Object.entries(value)) {
    const path = `${prefix}.${name}`;
    if (isObject(member)) addNested(claims, path, member, depth + 1);
    else if (!claims.has(path)) add(claims, path, member);
  }
}

function add(claims: Map<string, Values>, name: string, value: unknown): void {
  const values = valuesOf(value);
  if (values !== undefined) claims.set(name, values);
}

/** Undefined: there is nothing that is a text. */
function valuesOf(value: unknown): Values | undefined {
  if (typeof value === "string") return [value];
  if (Array.isArray(value)) {
    const texts = value.flatMap((item: unknown) => textOf(item) ?? []);
    return texts.length > 0 ? texts : undefined;
  }
  const text = textOf(value);
  return text === undefined ? undefined : [text];
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
}

function isObject(value: unknown): value is Payload {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
