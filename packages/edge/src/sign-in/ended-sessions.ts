import type { Clock } from "@proxy/cluster";
import type { Session } from "../session/session.ts";

/** Which sessions are meant: one by its id here, those of one session at the other party, or all of a subject there. */
export interface EndedWho {
  readonly id?: string | undefined;
  readonly remoteSession?: string | undefined;
  readonly subject?: string | undefined;
}

const most = 65_536;

/** Sessions that were ended before their time, for this process, until they would have ended anyway; of too many the oldest are forgotten. */
export class EndedSessions {
  readonly #clock: Pick<Clock, "date">;
  readonly #longest: number;
  /** To the time until which sessions may last that are ended. */
  readonly #until = new Map<string, number>();

  /** `longest`: milliseconds that a session lasts at most. */
  constructor(clock: Pick<Clock, "date">, longest: number) {
    this.#clock = clock;
    this.#longest = longest;
  }

  /** Ends sessions of `scheme` that began until now. */
  end(scheme: string, who: EndedWho): void {
    const now = this.#clock.date();
    for (const key of keysOf(scheme, who)) {
      this.#until.delete(key);
      for (const [oldest, until] of this.#until) {
        if (until > now && this.#until.size < most) break;
        this.#until.delete(oldest);
      }
      this.#until.set(key, now + this.#longest);
    }
  }

  has(session: Session): boolean {
    if (this.#until.size === 0) return false;
    const last = session.signedInAt + this.#longest;
    return keysOf(session.scheme, session).some((key) => (this.#until.get(key) ?? 0) >= last);
  }
}

function keysOf(scheme: string, { id, remoteSession, subject }: EndedWho): readonly string[] {
  const named = [["id", id], ["session", remoteSession], ["subject", subject]] as const;
  return named.flatMap(([kind, value]) => (value === undefined ? [] : [`${kind}\n${scheme}\n${value}`]));
}
