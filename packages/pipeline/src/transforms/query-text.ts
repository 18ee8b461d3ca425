/** Raw queries (`?a=1&b`), changed parameter by parameter: what a transform does not name keeps its bytes and its place. */

interface Parameter {
  /** As it stands in the query. */
  readonly raw: string;
  /** Decoded, lower case: names ignore case. */
  readonly key: string;
}

/** `query` without the parameters called `name`. */
export function removeParameter(query: string, name: string): string {
  const key = name.toLowerCase();
  return join(parametersOf(query).filter((parameter) => parameter.key !== key));
}

/** `query` with one parameter `name` of that value: where the first one stood, or at the end. */
export function setParameter(query: string, name: string, value: string): string {
  const key = name.toLowerCase();
  const before = parametersOf(query);
  const first = before.find((parameter) => parameter.key === key);
  if (first === undefined) return appendParameter(query, name, value);
  const spelling = first.raw.split("=", 1)[0] ?? "";
  const changed = before.map((each) => (each === first ? { raw: `${spelling}=${encodeURIComponent(value)}`, key } : each));
  return join(changed.filter((each, index) => each.key !== key || before[index] === first));
}

/** `query` with one more parameter at the end. */
export function appendParameter(query: string, name: string, value: string): string {
  return join([
    ...parametersOf(query),
    { raw: `${encodeURIComponent(name)}=${encodeURIComponent(value)}`, key: "" },
  ]);
}

function parametersOf(query: string): Parameter[] {
  return query
    .replace(/^\?/, "")
    .split("&")
    .filter((raw) => raw !== "")
    .map((raw) => ({ raw, key: decode(raw.split("=", 1)[0] ?? "").toLowerCase() }));
}

function decode(text: string): string {
  const spaced = text.replaceAll("+", " ");
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced;
  }
}

function join(parameters: readonly Parameter[]): string {
  return parameters.length === 0 ? "" : `?${parameters.map((parameter) => parameter.raw).join("&")}`;
}
