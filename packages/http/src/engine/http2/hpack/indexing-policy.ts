/** How an encoder treats the fields of a name (RFC 7541, 6.2 and 7.1). */
export const indexing = {
  /** Becomes an entry the second time that the value comes in a row: most values never come again. */
  whenRepeated: 0,
  /** Becomes an entry at once. */
  atOnce: 1,
  /** A literal each time: its values differ, or cost no more than an index. */
  never: 2,
  /** A literal that nobody on the way may index: the size of a block could betray it. */
  sensitive: 3,
} as const;

export type Indexing = (typeof indexing)[keyof typeof indexing];

const policies = new Map<string, Indexing>([
  ...named(indexing.atOnce, [
    ":authority", "accept", "accept-encoding", "accept-language", "accept-ranges", "access-control-allow-credentials",
    "access-control-allow-origin", "alt-svc", "cache-control", "content-encoding", "content-security-policy", "content-type",
    "referrer-policy", "server", "strict-transport-security", "user-agent", "vary", "via", "x-content-type-options",
    "x-frame-options", "x-powered-by", "x-xss-protection",
  ]),
  ...named(indexing.never, [
    "age", "content-length", "content-location", "content-range", "etag", "expires", "if-match", "if-modified-since",
    "if-none-match", "if-range", "if-unmodified-since", "last-modified", "location", "range",
  ]),
  ...named(indexing.sensitive, ["authorization", "cookie", "proxy-authorization", "set-cookie"]),
]);

/** The policy for a lower-case name. */
export function indexingOf(name: string): Indexing {
  return policies.get(name) ?? indexing.whenRepeated;
}

function named(policy: Indexing, names: readonly string[]): [name: string, policy: Indexing][] {
  return names.map((name) => [name, policy]);
}
