/** Which answer is for a request, and what may be done with it. */
import type { HeaderList } from "@proxy/http";
import { parseCacheControl, type CacheControl } from "./cache-control.ts";
import type { CacheEntry } from "./cache-entry.ts";
import { fieldSelection, keyPart } from "./cache-key.ts";

/**
 * - `fresh`, `stale`: given
 * - `refresh`: given, while a destination is asked
 * - `validate`: a destination is asked whether it holds; `client-validates`: because the client wants it so
 */
export type Use = "fresh" | "stale" | "refresh" | "validate" | "client-validates";

/** RFC 9111, 4.2 and 5.2.1; RFC 5861, 3. `ignoresControl`: what the request says does not count. */
export function useOf({ data }: CacheEntry, control: CacheControl, now: number, ignoresControl: boolean): Use {
  const left = data.freshUntil - now;
  if (!ignoresControl) {
    const [maxAge, minFresh] = [control.seconds("max-age"), control.seconds("min-fresh")];
    if (control.has("no-cache") || (maxAge !== undefined && now - data.storedAt + data.initialAge > maxAge * 1000)) return "client-validates";
    if (minFresh !== undefined && left < minFresh * 1000) return "client-validates";
  }
  if (left > 0) return "fresh";
  if (now < data.staleWhileRevalidateUntil) return "refresh";
  if (!ignoresControl && !data.mustRevalidate && (control.anyStale || -left <= (control.seconds("max-stale") ?? -1) * 1000)) return "stale";
  return "validate";
}

export const noControl: CacheControl = parseCacheControl([]);

/** What a request says of caches. */
export function controlOf(headers: HeaderList): CacheControl {
  const values = headers.getAll("cache-control");
  // RFC 9111, 5.4: where nothing else is said.
  if (values.length === 0 && headers.getAll("pragma").some((value) => value.toLowerCase().includes("no-cache"))) return parseCacheControl(["no-cache"]);
  return parseCacheControl(values);
}

/** The answer that is for a request; the one that was kept last comes first. */
export function pick(found: readonly CacheEntry[], partition: string, headers: HeaderList): CacheEntry | undefined {
  for (const entry of found) if (isFor(entry, partition, headers)) return entry;
  return undefined;
}

export function isFor({ data }: CacheEntry, partition: string, headers: HeaderList): boolean {
  if (data.partition !== partition) return false;
  for (const [key, selection] of data.vary) if (fieldSelection(headers, key) !== selection) return false;
  return true;
}

/** Requests with one name ask for the same, as far as it is known what answers vary by. */
export function flightName(key: string, partition: string, headers: HeaderList, known: CacheEntry | undefined): string {
  let name = keyPart(key) + keyPart(partition);
  for (const [field] of known?.data.vary ?? []) name += keyPart(field) + keyPart(fieldSelection(headers, field));
  return name;
}
