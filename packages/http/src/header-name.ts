/**
 * Field names, interned: every spelling of a known name maps to one lower-case string (its key), so that
 * looking a header up compares keys and never builds a string (RFC 9110, 5.1: names ignore case).
 *
 * The tables learn the spellings they see up to a bound. A client can therefore fill them, but not grow them:
 * past the bound an unknown spelling is lower-cased anew each time.
 */

const maximumLearned = 1024;
const maximumLearnedLength = 64;
const keys = new Map<string, string>();

/** Interns `name`: returns its key, the lower-case form. Equal names give the identical string. */
export function headerKey(name: string): string {
  return keys.get(name) ?? learnKey(name);
}

function learnKey(name: string): string {
  const lower = name.toLowerCase();
  const known = keys.get(lower);
  if (known === undefined && (keys.size >= maximumLearned || name.length > maximumLearnedLength)) return lower;
  const key = known ?? internalized(lower);
  if (keys.size < maximumLearned && name.length <= maximumLearnedLength) {
    keys.set(key, key);
    keys.set(name, key);
  }
  return key;
}

/** The engine's own copy of a string: comparing two of those compares pointers, also with literals. */
function internalized(text: string): string {
  return Object.keys({ [text]: 0 })[0] as string;
}

/** Bits for the names that decide how a message is framed or routed; a set of them is one number. */
export const fieldMark = {
  host: 1,
  contentLength: 2,
  transferEncoding: 4,
  connection: 8,
  expect: 16,
  upgrade: 32,
  date: 64,
  keepAlive: 128,
} as const;

const marks = new Map<string, number>([
  ["host", fieldMark.host],
  ["content-length", fieldMark.contentLength],
  ["transfer-encoding", fieldMark.transferEncoding],
  ["connection", fieldMark.connection],
  ["expect", fieldMark.expect],
  ["upgrade", fieldMark.upgrade],
  ["date", fieldMark.date],
  ["keep-alive", fieldMark.keepAlive],
]);

/** One spelling of a field name. Kept for the spellings seen first, made anew for others. */
export interface SpelledName {
  /** As on the wire. */
  readonly name: string;
  readonly key: string;
  /** Its bit of `fieldMark`, or 0. */
  readonly mark: number;
  readonly bytes: Uint8Array;
}

// A table without chains: whoever picks names with equal hashes finds their four slots taken, nothing longer.
const slotCount = 4096;
const maximumProbes = 4;
const slots: (SpelledName | undefined)[] = Array.from<SpelledName | undefined>({ length: slotCount }).fill(undefined);
let learnedSpellings = 0;

/**
 * The spelling in `bytes[from..to)`, which must be a token. `hash` is the running hash of those bytes,
 * `h = imul(h, 31) + byte`, beginning at 0: who checks the characters has it for nothing.
 */
export function spelledName(bytes: Uint8Array, from: number, to: number, hash: number): SpelledName {
  const length = to - from;
  let slot = (hash ^ (hash >>> 13)) & (slotCount - 1);
  for (let probe = 0; probe < maximumProbes; probe++) {
    const known = slots[slot];
    if (known === undefined) break;
    if (known.bytes.length === length && equalBytes(known.bytes, bytes, from)) return known;
    slot = (slot + 1) & (slotCount - 1);
  }
  // A copy also of a Buffer, whose `slice` is a view: the memory is read into again.
  return learnSpelling(new Uint8Array(bytes.subarray(from, to)), hash);
}

function equalBytes(known: Uint8Array, bytes: Uint8Array, from: number): boolean {
  for (let i = 0; i < known.length; i++) if (known[i] !== bytes[from + i]) return false;
  return true;
}

function learnSpelling(bytes: Uint8Array, hash: number): SpelledName {
  const name = String.fromCharCode.apply(undefined, bytes as unknown as number[]);
  const key = headerKey(name);
  const spelled: SpelledName = { name, key, mark: marks.get(key) ?? 0, bytes };
  if (learnedSpellings >= maximumLearned || bytes.length > maximumLearnedLength) return spelled;
  let slot = (hash ^ (hash >>> 13)) & (slotCount - 1);
  for (let probe = 0; probe < maximumProbes; probe++) {
    if (slots[slot] === undefined) {
      slots[slot] = spelled;
      learnedSpellings++;
      break;
    }
    slot = (slot + 1) & (slotCount - 1);
  }
  return spelled;
}

const knownNames = [
  "Accept", "Accept-Charset", "Accept-Encoding", "Accept-Language", "Accept-Ranges", "Age", "Allow", "ALPN",
  "Alt-Svc", "Authorization", "Baggage", "Cache-Control", "Close", "Connection", "Content-Disposition",
  "Content-Encoding", "Content-Language", "Content-Length", "Content-Location", "Content-Range",
  "Content-Security-Policy", "Content-Type", "Cookie", "Correlation-Context", "Date", "DNT", "ETag", "Expect",
  "Expires", "Forwarded", "From", "Host", "HTTP2-Settings", "If-Match", "If-Modified-Since", "If-None-Match",
  "If-Range", "If-Unmodified-Since", "Keep-Alive", "Last-Modified", "Link", "Location", "Max-Forwards",
  "Origin", "Pragma", "Priority", "Proxy-Authenticate", "Proxy-Authentication-Info", "Proxy-Authorization",
  "Proxy-Connection", "Proxy-Features", "Proxy-Instruction", "Range", "Referer", "Request-Id", "Retry-After",
  "Sec-CH-UA", "Sec-CH-UA-Mobile", "Sec-CH-UA-Platform", "Sec-Fetch-Dest", "Sec-Fetch-Mode",
  "Sec-Fetch-Site", "Sec-Fetch-User", "Sec-WebSocket-Accept", "Sec-WebSocket-Extensions",
  "Sec-WebSocket-Key", "Sec-WebSocket-Protocol", "Sec-WebSocket-Version", "Security-Scheme", "Server",
  "Set-Cookie", "Strict-Transport-Security", "TE", "Trace-Id", "Traceparent", "Tracestate", "Trailer",
  "Transfer-Encoding", "Upgrade", "Upgrade-Insecure-Requests", "User-Agent", "Vary", "Via", "Warning",
  "WWW-Authenticate", "X-Content-Type-Options", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Port",
  "X-Forwarded-Prefix", "X-Forwarded-Proto", "X-Frame-Options", "X-Powered-By", "X-Real-IP", "X-Request-Id",
  "X-Requested-With",
];
for (const known of knownNames) {
  for (const name of [known, known.toLowerCase()]) {
    learnKey(name);
    const bytes = Uint8Array.from(name, (character) => character.charCodeAt(0));
    spelledName(bytes, 0, bytes.length, bytes.reduce((hash, byte) => (Math.imul(hash, 31) + byte) | 0, 0));
  }
}
