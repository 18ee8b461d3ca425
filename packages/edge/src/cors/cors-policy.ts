/** A CORS policy ready to be asked (Fetch standard, 3.3). */
import type { CorsPolicyConfig } from "@proxy/config";
import { isHeaderName, isToken, listElements, type HeaderList } from "@proxy/http";

export interface CorsPolicy {
  /** Whether answers differ by origin, so that caches have to know. */
  readonly varies: boolean;
  readonly credentials: boolean;
  /** The value for Access-Control-Expose-Headers; undefined for none. */
  readonly exposed: string | undefined;
  /** Allow-Origin for a request of `origin`; undefined: pages of that origin may not read. */
  allowedOrigin(origin: string): string | undefined;
  /** Writes what a preflight of an allowed origin is told, beside origin and credentials. */
  writePreflight(request: HeaderList, response: HeaderList): void;
}

/** Compiles a policy that the configuration's own checks have seen. */
export function compileCorsPolicy(config: CorsPolicyConfig): CorsPolicy {
  const { origins = [], methods = [], headers = [], exposedHeaders = [], credentials = false, maxAge, privateNetwork = false } = config;
  const any = origins.includes("*") && !credentials;
  const exact = new Set<string>();
  const suffixes: { readonly scheme: string; readonly suffix: string }[] = [];
  for (const origin of origins) {
    const lower = serialized(origin.toLowerCase());
    const at = lower.indexOf("://*.");
    if (at < 0) exact.add(lower);
    else suffixes.push({ scheme: lower.slice(0, at + 3), suffix: lower.slice(at + 4) });
  }
  const allowedMethods = methods.includes("*") ? undefined : [...new Set([...methods, "GET", "HEAD", "POST"])].join(", ");
  const allowedHeaders = headers.includes("*") ? undefined : headers.join(", ");
  const seconds = maxAge === undefined ? undefined : String(Math.floor(maxAge / 1000));
  return {
    varies: !any,
    credentials,
    exposed: exposedHeaders.length === 0 ? undefined : exposedHeaders.join(", "),
    allowedOrigin(origin) {
      if (any) return "*";
      if (exact.has(origin)) return origin;
      for (const { scheme, suffix } of suffixes) if (isSubdomain(origin, scheme, suffix)) return origin;
      return undefined;
    },
    writePreflight(request, response) {
      const asked = request.get("access-control-request-method") ?? "";
      if (allowedMethods !== undefined) response.append("Access-Control-Allow-Methods", allowedMethods);
      else if (isToken(asked)) response.append("Access-Control-Allow-Methods", asked);
      const fields = allowedHeaders ?? askedHeaders(request);
      if (fields !== "") response.append("Access-Control-Allow-Headers", fields);
      if (seconds !== undefined) response.append("Access-Control-Max-Age", seconds);
      if (privateNetwork && request.get("access-control-request-private-network") === "true") response.append("Access-Control-Allow-Private-Network", "true");
    },
  };
}

/** Browsers leave the port of the scheme out (RFC 6454, 6.2). */
function serialized(origin: string): string {
  return origin.replace(/^(http:\/\/.*):80$|^(https:\/\/.*):443$/, "$1$2");
}

/** One or more whole labels before the suffix: `evilexample.org` is no subdomain of `.example.org`. */
function isSubdomain(origin: string, scheme: string, suffix: string): boolean {
  if (!origin.startsWith(scheme) || !origin.endsWith(suffix)) return false;
  const end = origin.length - suffix.length;
  if (end <= scheme.length) return false;
  for (let i = scheme.length; i < end; i++) {
    const code = origin.charCodeAt(i);
    const isLabel = (code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39) || code === 0x2d || code === 0x5f || code === 0x2e;
    if (!isLabel) return false;
  }
  return true;
}

/** The field names asked for, given back; empty when one of them is none. */
function askedHeaders(request: HeaderList): string {
  const names = request.getAll("access-control-request-headers").flatMap((value) => listElements(value));
  return names.every((name) => isHeaderName(name)) ? names.join(", ") : "";
}
