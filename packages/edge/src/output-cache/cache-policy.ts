/** A policy, compiled: what is looked at in requests, by one table of field names. */
import type { OutputCachePolicyConfig } from "@proxy/config";
import type { Exchange, HeaderList } from "@proxy/http";
import { hasListElement, listElements } from "@proxy/http";
import { spellingsOf } from "../exchange/field-spellings.ts";
import { selectParameters, wholeQuery, type QuerySelection } from "./cache-key.ts";
import { defaultUnkeyedHeaders } from "./unkeyed-headers.ts";

/** What a request has, as bits. */
export const asks = { authorization: 1, cookie: 2, cacheControl: 4, notModified: 8, matches: 16, range: 32, connection: 64, unkeyed: 128, pragma: 256, origin: 512,
  /** Not of the request: the route has a CORS policy, so that what destinations write of CORS reaches nobody. */
  corsHere: 1024,
  /** Fields in which a proxy in front may tell the client's scheme. */
  scheme: 2048,
} as const;

export interface CachePolicy {
  readonly name: string;
  readonly isHttp: boolean;
  /** Milliseconds. */
  readonly duration: number;
  readonly varyByHeader: readonly string[];
  readonly varyByRouteValue: readonly string[];
  readonly varyByHost: boolean;
  readonly varyByUser: boolean;
  readonly selectQuery: QuerySelection;
  readonly tags: readonly string[];
  readonly cookies: "Bypass" | "Remove" | "Ignore";
  /** In lower case; without those that the policy varies by. */
  readonly unkeyed: ReadonlySet<string>;
  readonly sizeLimit: number;
  readonly maximumBodySize: number;
  readonly maxVariants: number;
  readonly locking: boolean;
  readonly lockTimeout: number;
  readonly lockQueueLimit: number;
  readonly ignoresAnswerControl: boolean;
  readonly ignoresRequestControl: boolean;
  readonly sendsStatus: boolean;
  /** The bits of `asks` by field. */
  readonly looked: ReadonlyMap<string, number>;
}

/** Fields in which clients show who they are, to destinations that see to it themselves: what is answered to them is for them. Authorization is that of HTTP, the others are customs. */
export const credentialFields: readonly string[] = [
  "authorization", "proxy-authorization", "api-key", "apikey", "x-api-key", "x-apikey", "x-api-token", "x-auth-token", "x-access-token", "x-session-token", "x-session-id", "x-user-token",
  "x-amz-security-token", "x-goog-api-key", "x-functions-key", "ocp-apim-subscription-key", "private-token", "x-vault-token",
];

export function compileCachePolicy(config: OutputCachePolicyConfig): CachePolicy {
  const isHttp = config.mode === "Http";
  const varyByHeader = (config.varyByHeader ?? []).map((name) => name.toLowerCase());
  // What is told apart by one spelling is not to be told by another.
  const unkeyed = new Set([...(config.unkeyedHeaders ?? defaultUnkeyedHeaders), ...varyByHeader].flatMap(spellingsOf).filter((name) => !varyByHeader.includes(name)));
  const cookies = varyByHeader.includes("cookie") ? "Ignore" : (config.cookies ?? (isHttp ? "Ignore" : "Bypass"));
  const sizeLimit = config.sizeLimit ?? 104_857_600;
  return {
    name: config.name,
    isHttp,
    duration: config.duration ?? config.expirationTimeSpan ?? 60_000,
    varyByHeader,
    varyByRouteValue: config.varyByRouteValue ?? [],
    varyByHost: config.varyByHost ?? true,
    varyByUser: config.varyByUser ?? false,
    selectQuery: config.varyByQuery === undefined || config.varyByQuery.includes("*") ? wholeQuery : selectParameters(config.varyByQuery),
    tags: config.tags ?? [],
    cookies,
    unkeyed,
    sizeLimit,
    maximumBodySize: Math.min(config.maximumBodySize ?? 67_108_864, sizeLimit),
    maxVariants: config.maxVariants ?? 64,
    locking: config.locking ?? true,
    lockTimeout: config.lockTimeout ?? 5000,
    lockQueueLimit: config.lockQueueLimit ?? 1000,
    ignoresAnswerControl: config.ignoreAnswerCacheControl ?? false,
    ignoresRequestControl: !isHttp || (config.ignoreRequestCacheControl ?? false),
    sendsStatus: config.sendCacheStatus ?? false,
    looked: new Map<string, number>([
      ["x-forwarded-proto", asks.scheme],
      ["forwarded", asks.scheme],
      ...[...unkeyed].map((name): [string, number] => [name, name === "x-forwarded-proto" || name === "forwarded" ? asks.unkeyed | asks.scheme : asks.unkeyed]),
      ...credentialFields.filter((name) => !varyByHeader.includes(name)).flatMap(spellingsOf).map((name): [string, number] => [name, asks.authorization]),
      ["cookie", asks.cookie],
      ["cache-control", asks.cacheControl],
      ["pragma", asks.pragma],
      ["if-none-match", asks.notModified],
      ["if-modified-since", asks.notModified],
      ["if-match", asks.matches],
      ["if-unmodified-since", asks.matches],
      ["range", asks.range],
      ["connection", asks.connection],
      ["origin", asks.origin],
    ]),
  };
}

/** The bits of `asks` for a request; -1 for one that no cache has to do with. */
export function lookAt(exchange: Exchange, { looked }: CachePolicy): number {
  const { request } = exchange;
  // A body on a GET may decide its answer, and no key holds it.
  if ((request.method !== "GET" && request.method !== "HEAD") || exchange.body !== undefined || exchange.features.upgrade !== undefined) return -1;
  const { headers } = request;
  let bits = 0;
  for (let i = 0, { size } = headers; i < size; i++) {
    const bit = looked.get(headers.keyAt(i));
    if (bit !== undefined) bits |= bit;
  }
  if ((bits & asks.matches) !== 0) return -1;
  if ((bits & asks.connection) !== 0 && takesFieldsAway(headers)) return -1;
  return bits;
}

/**
 * Whether Connection names fields: they do not reach the destination (RFC 9110, 7.6.1), so that its answer would be kept for requests that have them.
 */
function takesFieldsAway(headers: HeaderList): boolean {
  for (let i = headers.indexOf("connection"); i >= 0; i = headers.indexOf("connection", i + 1)) {
    const value = headers.valueAt(i);
    if (value === "keep-alive" || value === "Keep-Alive" || value === "close") continue;
    if (listElements(value).some((element) => !hasListElement("close, keep-alive", element.toLowerCase()))) return true;
  }
  return false;
}
