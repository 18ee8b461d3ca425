import { createHash } from "node:crypto";
import type { Clock } from "@proxy/cluster";
import type { Session } from "../session/session.ts";

/** `ended`: the other party does not renew it any more. `unavailable`: it cannot be asked. */
export type Refreshed = Session | "ended" | "unavailable";

const most = 10_000;
/** Requests with the cookie from before may still be under way. */
const kept = 60_000;
const keptFailure = 5000;

/**
 * One refresh at a time for each session: refresh tokens are often good once, and a browser asks for many things at a time. Requests that come with the
 * session from before get what its refresh gave.
 */
export class Refreshes {
  readonly #clock: Pick<Clock, "now">;
  readonly #byToken = new Map<string, { readonly result: Promise<Refreshed>; until: number }>();

  constructor(clock: Pick<Clock, "now">) {
    this.#clock = clock;
  }

  /** `refresh` must not reject. */
  of(session: Session, refresh: () => Promise<Refreshed>): Promise<Refreshed> {
    const key = createHash("sha256").update(`${session.id}\n${session.tokens?.refreshToken}`).digest("base64url");
    const now = this.#clock.now();
    const known = this.#byToken.get(key);
    if (known !== undefined && known.until > now) return known.result;
    this.#byToken.delete(key);
    for (const [oldest, { until }] of this.#byToken) {
      if (until > now && this.#byToken.size < most) break;
      this.#byToken.delete(oldest);
    }
    const entry = { result: refresh(), until: Number.POSITIVE_INFINITY };
    this.#byToken.set(key, entry);
    void entry.result.then((result) => (entry.until = this.#clock.now() + (result === "unavailable" ? keptFailure : kept)));
    return entry.result;
  }
}
