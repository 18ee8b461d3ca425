import { listElements, type HeaderList } from "@proxy/http";

/** Adds field names to Vary (RFC 9110, 12.5.5), those that it does not have. `*` says it all. */
export function addVary(headers: HeaderList, names: readonly string[]): void {
  const there = new Set(headers.getAll("vary").flatMap((value) => listElements(value.toLowerCase())));
  if (there.has("*")) return;
  const missing = names.filter((name) => !there.has(name.toLowerCase()));
  if (missing.length > 0) headers.append("Vary", missing.join(", "));
}
