/** Which answers are kept, whatever the mode, and for how long where the policy decides. */
import { listElements, type ResponseHead } from "@proxy/http";
import { parseCacheControl } from "./cache-control.ts";
import { asks } from "./cache-policy.ts";
import { writtenByGateway } from "./unkeyed-headers.ts";

/** How long an answer holds: members of `CacheEntryData`. */
export interface Freshness {
  readonly initialAge: number;
  readonly freshUntil: number;
  readonly staleWhileRevalidateUntil: number;
  readonly staleIfErrorUntil: number;
  readonly mustRevalidate: boolean;
}

/** Fields that are meant for the one who asked. */
const personal = ["set-cookie", "set-cookie2", "authentication-info", "proxy-authentication-info", "clear-site-data", "www-authenticate"];

/** An answer that varies by more is for nobody else. */
const mostVaried = 16;

/**
 * The fields that it varies by, in lower case; undefined: not to be kept. `bits`: of `asks`. Some say less than is so:
 *
 * - Where a coding was chosen, that is a choice by Accept-Encoding.
 * - Where one origin may read it, others may not; where an answer to a page of another origin says nothing of CORS, another page may be told something. So only `*` is for all, and what was said without
 *   an Origin is for those without one (Fetch standard, 3.3: "CORS protocol and HTTP caches").
 */
export function variedFields({ headers }: ResponseHead, bits: number): readonly string[] | undefined {
  const names = new Set(headers.getAll("vary").flatMap((value) => listElements(value.toLowerCase())));
  if (headers.has("content-encoding")) names.add("accept-encoding");
  if ((bits & asks.corsHere) === 0 && !names.has("origin")) {
    const allowed = headers.getAll("access-control-allow-origin");
    if (allowed.length === 0 && (bits & asks.origin) !== 0) return undefined;
    if (allowed.length !== 1 || allowed[0]?.trim() !== "*") names.add("origin");
  }
  if (names.has("*") || names.size > mostVaried) return undefined;
  for (const name of names) if (writtenByGateway.has(name)) return undefined;
  return [...names];
}

/** Whether it is whole, for more than the one who asked, and no stream. */
export function isShareable(head: ResponseHead): boolean {
  const { headers, status, endsWithConnection } = head;
  if (status === 206 || status === 304 || headers.has("content-range") || endsWithConnection === true) return false;
  if (personal.some((key) => headers.has(key))) return false;
  return headers.get("content-type")?.toLowerCase().startsWith("text/event-stream") !== true;
}

/** In mode `Policy`: 200 for the duration, as ASP.NET's default policy, unless the answer says that it is for one client or not to be kept. */
export function policyFreshness(head: ResponseHead, answered: number, duration: number, ignoresControl: boolean): Freshness | undefined {
  if (head.status !== 200) return undefined;
  if (!ignoresControl) {
    const directives = parseCacheControl(head.headers.getAll("cache-control"));
    if (directives.has("no-store") || directives.has("private")) return undefined;
  }
  const freshUntil = answered + duration;
  return { initialAge: 0, freshUntil, staleWhileRevalidateUntil: freshUntil, staleIfErrorUntil: freshUntil, mustRevalidate: true };
}
