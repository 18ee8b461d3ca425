import type { ConsistentHashConfig } from "@proxy/config";
import { clientAddressOf, headerKey, type Exchange } from "@proxy/http";
import { cookieValue } from "../affinity/cookie.ts";
import type { PickContext } from "./policy.ts";

/** What of a request decides where it goes; undefined when the request does not have it. */
export type HashKey = (exchange: Exchange, context: PickContext | undefined) => string | undefined;

/** Prepared once for the settings of a cluster. */
export function hashKeyOf(settings: ConsistentHashConfig | undefined): HashKey {
  const name = settings?.name ?? "";
  switch (settings?.on) {
    case "Header": {
      const key = headerKey(name);
      return ({ request }) => request.headers.get(key);
    }
    case "Cookie":
      return ({ request }) => cookieValue(request.headers, name);
    case "Query":
      return ({ request }) => queryValue(request.query, `${name}=`);
    case "RouteValue":
      return (_exchange, context) => context?.routeValues.get(name);
    default:
      return clientAddressOf;
  }
}

/** The raw value of the first parameter that begins with `start`; nothing is decoded. */
function queryValue(query: string, start: string): string | undefined {
  for (let at = query.indexOf(start); at > 0; at = query.indexOf(start, at + 1)) {
    const before = query.charCodeAt(at - 1);
    if (before !== 0x3f && before !== 0x26) continue;
    const end = query.indexOf("&", at);
    return query.slice(at + start.length, end < 0 ? query.length : end);
  }
  return undefined;
}
