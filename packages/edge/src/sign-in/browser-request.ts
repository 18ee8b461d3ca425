/** What browsers say of why they ask (Fetch Metadata, W3C). Others may write what they like: it opens nothing to them. */
import type { RequestHead } from "@proxy/http";

/** Whether a person looks at the answer, who can be sent elsewhere: no script's request, frame or prefetch. */
export function isNavigation({ method, headers }: RequestHead): boolean {
  if (method !== "GET" && method !== "HEAD") return false;
  const mode = headers.get("sec-fetch-mode");
  if (mode !== undefined && (mode !== "navigate" || (headers.get("sec-fetch-dest") ?? "document") !== "document")) return false;
  if (headers.has("sec-purpose") || headers.has("x-requested-with") || headers.has("upgrade")) return false;
  return /(?:^|[,\s])text\/html\b/i.test(headers.get("accept") ?? "");
}

/**
 * Whether a page of `publicOrigin`, or the person itself, asked for something to be changed: no other site did. Browsers too old for Sec-Fetch-Site are believed by
 * Origin, which they send with POST.
 */
export function isOwnRequest({ method, headers }: RequestHead, publicOrigin: string): boolean {
  const site = headers.get("sec-fetch-site");
  if (site !== undefined) return site === "same-origin" || site === "none";
  return method === "POST" && headers.get("origin") === publicOrigin;
}
