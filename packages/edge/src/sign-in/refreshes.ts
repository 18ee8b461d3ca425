import { hash } from "node:crypto";
import type { Clock } from "@proxy/cluster";
import type { Session } from "../session/session.ts";
import type { SingleUse } from "./store/single-use.ts";

/** `ended`: the other party does not renew it any more. `unavailable`: it cannot be asked. */
export type Refreshed = Session | "ended" | "unavailable";

interface Refresh {
  result: Promise<Refreshed>;
  until: number;
  /** No other gateway refreshes it by then. */
  oursUntil: number;
}

const most = 10_000;
/** Requests with the cookie from before may still be under way. */
const kept = 60_000;
const keptFailure = 5000;
/** How long the other gateways leave a session to the one that began. */
const turn = 30_000;

/**
 * One refresh at a time for each session: refresh tokens are often good once, and a browser asks for many things at a time. Requests that come with the
 * session from before get what its refresh gave; at gateways that share a store the others go on with the tokens that they have, meanwhile.
 */
export class Refreshes {
  readonly #clock: Pick<Clock, "now" | "date">;
  readonly #turns: SingleUse;
  readonly #byToken = new Map<string, Refresh>();

  constructor(clock: Pick<Clock, "now" | "date">, turns: SingleUse) {
    this.#clock = clock;
    this.#turns = turns;
  }

  /** `refresh` must not reject; `onFault` is told when the store cannot be asked whose turn it is. */
  of(session: Session, refresh: () => Promise<Refreshed>, onFault: (error: unknown) => void): Promise<Refreshed> {
    const key = hash("sha256", `${session.id}\n${session.tokens?.refreshToken}`, "base64url");
    const now = this.#clock.now();
    const known = this.#byToken.get(key);
    if (known !== undefined && known.until > now) return known.result;
    this.#byToken.delete(key);
    for (const [oldest, { until }] of this.#byToken) {
      if (until > now && this.#byToken.size < most) break;
      this.#byToken.delete(oldest);
    }
    const entry: Refresh = { result: Promise.resolve("unavailable"), until: Number.POSITIVE_INFINITY, oursUntil: known?.oursUntil ?? 0 };
    this.#byToken.set(key, entry);
    entry.result = this.#inTurn(key, entry, refresh, onFault);
    void entry.result.then((result) => (entry.until = this.#clock.now() + (result === "unavailable" ? keptFailure : kept)));
    return entry.result;
  }

  async #inTurn(key: string, entry: Refresh, refresh: () => Promise<Refreshed>, onFault: (error: unknown) => void): Promise<Refreshed> {
    const now = this.#clock.now();
    try {
      if (entry.oursUntil <= now) {
        if (!(await this.#turns.take(key, this.#clock.date() + turn))) return "unavailable";
        entry.oursUntil = now + turn;
      }
    } catch (error) {
      onFault(error);
      return "unavailable";
    }
    return refresh();
  }
}
