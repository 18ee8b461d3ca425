/**
 * By what answers are kept: scheme, host, path and query, as the route sees them. Each part that could hold the beginning of the next one is preceded by its length, so that no two
 * requests have one key that differ in any of them.
 */
import { type HeaderList, type RequestHead } from "@proxy/http";
import { hasAmbiguousEscapes } from "../exchange/ambiguous-path.ts";

let lastAuthority = "";
let lastHost = "";

/** The host in its one form: lower case, without the port of the scheme (RFC 9110, 4.2.3). */
function hostOf(authority: string, scheme: string): string {
  // Requests of one site come together; most hosts are in that form already.
  if (authority === lastAuthority && scheme === "http") return lastHost;
  let host = authority.toLowerCase();
  const port = scheme === "https" ? ":443" : ":80";
  if (host.endsWith(port) && !host.endsWith(`:${port}`)) host = host.slice(0, -port.length);
  else if (host.endsWith(":")) host = host.slice(0, -1);
  if (scheme === "http") {
    lastAuthority = authority;
    lastHost = host;
  }
  return host;
}

/** What the query contributes: all of it, or what the named parameters say. Undefined: it cannot be told what a destination reads in it. */
export type QuerySelection = (query: string) => string | undefined;

export const wholeQuery: QuerySelection = (query) => query;

/** The key; undefined where the request has none, and goes by the cache. */
export function cacheKey(request: RequestHead, byHost: boolean, selectQuery: QuerySelection): string | undefined {
  const { scheme, authority, path, pathBase } = request;
  if (authority === "" || isAmbiguous(path)) return undefined;
  const query = request.query === "" ? "" : selectQuery(request.query);
  if (query === undefined) return undefined;
  const host = byHost ? hostOf(authority, scheme) : "";
  const base = pathBase === undefined ? "" : `${pathBase.length}/${pathBase}`;
  return `${scheme === "https" ? "s" : "h"}${host.length}:${host}${base}${path.length}:${path}${query}`;
}

/**
 * Whether gateway and destination may see another path in it: parameters, encoded delimiters and what ends a path in some servers. An answer to such a path is
 * kept under a name that it is not, perhaps (web cache deception). Empty segments and dots at an end make another name, which is asked for by nobody else.
 */
function isAmbiguous(path: string): boolean {
  if (path.indexOf(";") >= 0 || path.indexOf("\\") >= 0) return true;
  return path.indexOf("%") >= 0 && (hasAmbiguousEscapes(path) || path.indexOf("%22") >= 0);
}

/**
 * Selects the parameters of those names, which ignore case as ASP.NET's do, with their values as they came. Undefined for a query in which servers find
 * different parameters: `;` between them (CVE-2021-23336), names that are no percent-encoding or hold controls, at which some end. PHP also finds `a.b`, `a b` and `a[b` by the name `a_b`.
 */
export function selectParameters(names: readonly string[]): QuerySelection {
  const wanted = new Set(names.filter((name) => name !== "").map((name) => underscored(name.toLowerCase())));
  return (query) => {
    if (query.includes(";")) return undefined;
    let selected = "";
    for (const parameter of query.slice(1).split("&")) {
      const equals = parameter.indexOf("=");
      const name = decoded(equals < 0 ? parameter : parameter.slice(0, equals));
      if (name === undefined || controls.test(name)) return undefined;
      // Servers also find `a[]` and `a[b]` by the name `a`.
      const lower = name.toLowerCase();
      const bracket = lower.indexOf("[");
      if (wanted.has(underscored(lower)) || (bracket > 0 && wanted.has(underscored(lower.slice(0, bracket))))) selected += `${parameter.length}:${parameter}`;
    }
    // Without any of them it is as without a query.
    return selected === "" ? "" : `?${selected}`;
  };
}

const controls = /[\u0000-\u001f\u007f]/;

/** A name of a parameter as PHP has it. */
function underscored(name: string): string {
  return name.replaceAll(/[ .[]/g, "_");
}

function decoded(text: string): string | undefined {
  if (!text.includes("%") && !text.includes("+")) return text;
  try {
    return decodeURIComponent(text.replaceAll("+", " ")).trim();
  } catch {
    return undefined;
  }
}

/** A part of a partition: told apart from whatever stands beside it. */
export function keyPart(text: string): string {
  return `${text.length}:${text}`;
}

/**
 * What a request says of the field `key`, as text that is equal for requests that say the same. Of Accept-Encoding that is which codings are accepted: browsers
 * spell it in many ways.
 */
export function fieldSelection(headers: HeaderList, key: string): string {
  if (key === "accept-encoding") return codings(headers);
  const first = headers.indexOf(key);
  if (first < 0) return "-";
  const next = headers.indexOf(key, first + 1);
  // No value holds a line break.
  return next < 0 ? `=${headers.valueAt(first)}` : `=${headers.getAll(key).join("\n")}`;
}

const lastCodings = { text: "", selection: "" };

function codings(headers: HeaderList): string {
  const first = headers.indexOf("accept-encoding");
  if (first < 0) return "-";
  const text = headers.indexOf("accept-encoding", first + 1) < 0 ? headers.valueAt(first) : headers.getAll("accept-encoding").join(",");
  if (text === lastCodings.text) return lastCodings.selection;
  const accepted = new Set<string>();
  for (const element of text.toLowerCase().split(",")) {
    const [coding = "", ...parameters] = element.split(";").map((part) => part.trim());
    const refused = parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter));
    if (coding === "identity" || coding === "*") accepted.add(refused ? `${coding};q=0` : coding);
    else if (!refused && coding !== "") accepted.add(coding === "x-gzip" ? "gzip" : coding);
  }
  lastCodings.text = text;
  lastCodings.selection = `=${[...accepted].sort().join(",")}`;
  return lastCodings.selection;
}
