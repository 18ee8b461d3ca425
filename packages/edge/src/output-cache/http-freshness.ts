/**
 * What RFC 9111 says of an answer: whether a shared cache may keep it, and for how long it is fresh. Status, method, authorization and the sources of freshness are judged by
 * `http-cache-semantics`; it is given directives in their one form, and what it treats coarsely (must-revalidate, proxy-revalidate, apparent age) is done here.
 */
import CachePolicy from "http-cache-semantics";
import type { HeaderList, ResponseHead } from "@proxy/http";
import { parseCacheControl, type CacheControl } from "./cache-control.ts";
import { httpDate } from "./conditions.ts";
import type { Freshness } from "./freshness.ts";

/** When a request left and its answer came: milliseconds since 1970. */
export interface AnswerTimes {
  readonly asked: number;
  readonly answered: number;
}

/** Statuses that say what a request did wrong, which is not what the next one does wrong; heuristically cacheable nevertheless (RFC 9110, 15.1). */
const ofRequests: ReadonlySet<number> = new Set([405, 414, 501]);

/** What of a request decides whether its answer may be kept. */
export interface AskedBy {
  readonly authorization: boolean;
  readonly cookie: boolean;
  /** It says `no-store`, and is heard. */
  readonly noStore: boolean;
}

/** Undefined: not to be kept. */
export function httpFreshness(by: AskedBy, { headers, status }: ResponseHead, { asked, answered }: AnswerTimes): Freshness | undefined {
  if (ofRequests.has(status) || status >= 500) return undefined;
  const directives = parseCacheControl(headers.getAll("cache-control"));
  const isExplicit = directives.has("public") || directives.has("max-age") || directives.has("s-maxage") || headers.has("expires");
  const expires = headers.get("expires");
  // Nothing says how long it holds, or that it is for others too.
  if (!isExplicit && (status !== 200 || by.cookie)) return undefined;
  const policy = new CachePolicy(
    { method: "GET", headers: record([["authorization", by.authorization ? "yes" : undefined], ["cache-control", by.noStore ? "no-store" : undefined]]) },
    {
      status,
      headers: record([
        ["cache-control", canonical(directives)],
        // A date that is none has passed (RFC 9111, 5.3).
        ["expires", expires === undefined ? undefined : dateText(httpDate(expires) ?? 0)],
        ["date", dateText(httpDate(headers.get("date") ?? "") ?? answered)],
        ["pragma", headers.has("cache-control") ? undefined : headers.get("pragma")?.toLowerCase()],
      ]),
    },
    { shared: true, cacheHeuristic: 0, immutableMinTimeToLive: 0 },
  );
  if (!policy.storable()) return undefined;
  const initialAge = ageOf(headers, asked, answered);
  const freshUntil = answered + policy.maxAge() * 1000 - initialAge;
  const isStrict = directives.has("must-revalidate") || directives.has("proxy-revalidate") || directives.has("no-cache");
  // What s-maxage forbids in general, these two allow by name.
  const staleFor = (seconds: number | undefined): number => (isStrict ? freshUntil : freshUntil + (seconds ?? 0) * 1000);
  return {
    initialAge,
    freshUntil,
    staleWhileRevalidateUntil: staleFor(directives.seconds("stale-while-revalidate")),
    staleIfErrorUntil: staleFor(directives.seconds("stale-if-error")),
    mustRevalidate: isStrict || directives.has("s-maxage"),
  };
}

/** What the library is to know, in a form that it reads as it is meant. */
function canonical(directives: CacheControl): string {
  const parts: string[] = [];
  for (const flag of ["no-store", "no-cache", "private", "public", "must-revalidate"] as const) if (directives.has(flag)) parts.push(flag);
  for (const duration of ["max-age", "s-maxage"] as const) {
    const seconds = directives.seconds(duration);
    if (seconds !== undefined) parts.push(`${duration}=${seconds}`);
  }
  return parts.join(", ");
}

function dateText(time: number): string {
  return new Date(time).toUTCString();
}

function record(pairs: readonly (readonly [string, string | undefined])[]): Record<string, string> {
  const given: Record<string, string> = {};
  for (const [name, value] of pairs) if (value !== undefined && value !== "") given[name] = value;
  return given;
}

/** Milliseconds (RFC 9111, 4.2.3): the greater of what Age and what Date tell. */
function ageOf(headers: HeaderList, asked: number, answered: number): number {
  const date = httpDate(headers.get("date") ?? "");
  const apparent = date === undefined ? 0 : Math.max(answered - date, 0);
  // The first of several; what is no number says nothing (RFC 9111, 5.1).
  const age = (headers.get("age") ?? "").split(",", 1)[0]?.trim() ?? "";
  const told = /^\d+$/.test(age) ? Math.min(Number(age), 2 ** 31) * 1000 + Math.max(answered - asked, 0) : 0;
  // Date tells full seconds: less than one is no age.
  return Math.max(apparent < 1000 ? 0 : apparent, told);
}
