/**
 * Field names, interned: every spelling of a known name maps to one lower-case string (its key), so that
 * looking a header up compares keys and never builds a string (RFC 9110, 5.1: names ignore case).
 *
 * The map learns the spellings it sees up to a bound. A client can therefore fill it, but not grow it: past
 * the bound an unknown spelling is lower-cased anew each time.
 */

const maximumLearned = 1024;
const maximumLearnedLength = 64;
const keys = new Map<string, string>();

/** Interns `name`: returns its key, the lower-case form. Equal names give the identical string. */
export function headerKey(name: string): string {
  return keys.get(name) ?? learn(name);
}

function learn(name: string): string {
  const lower = name.toLowerCase();
  const key = keys.get(lower) ?? lower;
  if (keys.size < maximumLearned && name.length <= maximumLearnedLength) {
    keys.set(key, key);
    keys.set(name, key);
  }
  return key;
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
for (const name of knownNames) learn(name);
