/** What a request that changed something makes unknown: its own address, and those on the same host that its answer names (RFC 9111, 4.4). */
import { normalizePath, type HeaderList, type RequestHead } from "@proxy/http";

const safe: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE"]);

/** Methods that nobody knows are not. */
export function isSafe(method: string): boolean {
  return safe.has(method);
}

export function changedPlaces(request: RequestHead, answered: HeaderList): readonly RequestHead[] {
  const named = ["location", "content-location"].flatMap((field) => {
    const place = answered.get(field);
    return place === undefined ? [] : (sameSite(request, place) ?? []);
  });
  return [request, ...named];
}

/** The request for `place`, where it is of the same origin. */
function sameSite(request: RequestHead, place: string): RequestHead | undefined {
  const base = `${request.scheme}://${request.authority}`;
  if (!URL.canParse(place, `${base}${request.path}`)) return undefined;
  const url = new URL(place, `${base}${request.path}`);
  if (url.origin !== new URL(base).origin) return undefined;
  const path = normalizePath(url.pathname);
  return path === undefined ? undefined : { ...request, path, query: url.search, pathBase: undefined };
}
