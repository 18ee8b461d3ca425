/** Parameters of a raw query, whose names are compared decoded: `api%5Fkey` is `api_key` to every destination. */

/** The decoded values of the parameters called `name`, in order. */
export function parametersNamed(query: string, name: string): string[] {
  return pieces(query).flatMap((piece) => (nameOf(piece) === name ? [decoded(piece.slice(valueStart(piece)))] : []));
}

/** `query` without them, the same text where there is none; the others keep their bytes. */
export function withoutParameter(query: string, name: string): string {
  const all = pieces(query);
  const kept = all.filter((piece) => nameOf(piece) !== name);
  if (kept.length === all.length) return query;
  return kept.length === 0 ? "" : `?${kept.join("&")}`;
}

function pieces(query: string): string[] {
  return query.length < 2 ? [] : query.slice(1).split("&");
}

function valueStart(piece: string): number {
  const equals = piece.indexOf("=");
  return equals < 0 ? piece.length : equals + 1;
}

function nameOf(piece: string): string {
  const equals = piece.indexOf("=");
  return decoded(equals < 0 ? piece : piece.slice(0, equals));
}

/** As forms are decoded; a text that is not encoded rightly stands for itself. */
function decoded(text: string): string {
  const spaced = text.replaceAll("+", " ");
  if (!spaced.includes("%")) return spaced;
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced;
  }
}
