/** RateLimit and RateLimit-Policy as draft-ietf-httpapi-ratelimit-headers-10 has them: lists of structured fields (RFC 9651). */
import type { RateLimiterPolicyConfig } from "@proxy/config";

export interface RateLimitFields {
  /** The value of RateLimit-Policy. */
  readonly policy: string;
  /** The value of RateLimit; `resetAfter` in milliseconds. */
  state(remaining: number, resetAfter: number | undefined): string;
}

export function rateLimitFields({ name, algorithm = "FixedWindow", permitLimit = 1, window = 60_000 }: RateLimiterPolicyConfig): RateLimitFields {
  const item = quotedString(name);
  const unit = algorithm === "Concurrency" ? `;qu="concurrent-requests"` : `;w=${Math.max(Math.ceil(window / 1000), 1)}`;
  return {
    policy: `${item};q=${permitLimit}${unit}`,
    state: (remaining, resetAfter) => `${item};r=${remaining}${resetAfter === undefined ? "" : `;t=${Math.max(Math.ceil(resetAfter / 1000), 0)}`}`,
  };
}

/** A string of structured fields (RFC 9651, 3.3.3) holds printable ASCII alone. */
function quotedString(text: string): string {
  return `"${text.replaceAll(/[^\u0020-\u007e]/g, "?").replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}
