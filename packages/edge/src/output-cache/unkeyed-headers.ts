/**
 * Fields that a destination may answer by and that no key holds. Where answers are kept, destinations do not get to see them: otherwise one client chooses what all
 * others get (web cache poisoning). What the gateway writes itself, such as X-Forwarded-Host, is written behind this.
 */
import type { HeaderList, RequestHead } from "@proxy/http";

/** Fields that change path, host, scheme or method in frameworks and servers. */
export const defaultUnkeyedHeaders: readonly string[] = [
  "Forwarded",
  "X-Forwarded-Host",
  "X-Forwarded-Server",
  "X-Forwarded-Scheme",
  "X-Forwarded-Proto",
  "X-Forwarded-Protocol",
  "X-Forwarded-Ssl",
  "X-Forwarded-Port",
  "X-Forwarded-Prefix",
  "X-Forwarded-Path",
  "X-Forwarded-PathBase",
  "X-Forwarded-Uri",
  "X-Original-URL",
  "X-Original-Host",
  "X-Original-Uri",
  "X-Rewrite-URL",
  "X-Host",
  "X-HTTP-Host-Override",
  "X-Real-Host",
  "X-Scheme",
  "X-Url-Scheme",
  "Front-End-Https",
  "X-HTTP-Method",
  "X-HTTP-Method-Override",
  "X-Method-Override",
  "X-Middleware-Prefetch",
  "X-Middleware-Subrequest",
];

/**
 * Fields of which the gateway tells destinations something else than the client told it. An answer that varies by one of them varies by what is not known here, and is
 * not kept.
 */
export const writtenByGateway: ReadonlySet<string> = new Set(["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-prefix", "x-real-ip", "via", "connection", "x-client-cert"]);

/** The same request with other fields. */
export function withHeaders({ method, target, path, pathBase, query, scheme, authority, httpVersion }: RequestHead, headers: HeaderList): RequestHead {
  return { method, target, path, pathBase, query, scheme, authority, httpVersion, headers };
}
