import { hash } from "node:crypto";
import type { Clock } from "@proxy/cluster";
import type { Session } from "../../session/session.ts";
import { SignInStoreError, type SignInStore } from "./sign-in-store.ts";

/**
 * Whose sessions are meant: with `remoteSession` those of one session at the other party, and of `subject` those of which the other party did not say which session they are;
 * otherwise all of `subject`.
 */
export interface EndedWho {
  readonly remoteSession?: string | undefined;
  readonly subject?: string | undefined;
}

/** Sessions that were ended before their time, whichever gateway was told. */
export class EndedSessions {
  readonly #store: SignInStore;
  readonly #use: string;
  readonly #clock: Pick<Clock, "date">;
  readonly #longest: number;

  /** `scheme` keeps the sessions, for at most `longest` milliseconds. */
  constructor(store: SignInStore, scheme: string, clock: Pick<Clock, "date">, longest: number) {
    this.#store = store;
    this.#use = `ended ${scheme.toLowerCase()}`;
    this.#clock = clock;
    this.#longest = longest;
  }

  /** Ends `session`: copies of it are none. Rejects with `SignInStoreError`. */
  end({ id, signedInAt }: Session): Promise<void> {
    return this.#end(idKey(id), signedInAt, signedInAt + this.#longest);
  }

  /** Ends those that `scheme` signed in until `begunUntil`. Rejects with `SignInStoreError`. */
  async endAll(scheme: string, { remoteSession, subject }: EndedWho, begunUntil: number): Promise<void> {
    const until = this.#clock.date() + this.#longest;
    if (remoteSession !== undefined) await this.#end(partyKey("session", scheme, remoteSession), begunUntil, until);
    if (subject !== undefined) await this.#end(partyKey(remoteSession === undefined ? "subject" : "unnamed", scheme, subject), begunUntil, until);
  }

  /** Throws or rejects with `SignInStoreError` when it cannot be known. */
  has(session: Session): boolean | Promise<boolean> {
    const { id, scheme, remoteSession, subject, signedInAt } = session;
    const keys = [idKey(id)];
    if (remoteSession !== undefined) keys.push(partyKey("session", scheme, remoteSession));
    if (subject !== undefined) {
      keys.push(partyKey("subject", scheme, subject));
      if (remoteSession === undefined) keys.push(partyKey("unnamed", scheme, subject));
    }
    try {
      const until = this.#store.endedUntil(this.#use, keys);
      if (until === undefined || typeof until === "number") return isOver(signedInAt, until);
      // Of another store's promise, too.
      return Promise.resolve(until).then((later) => isOver(signedInAt, later)).catch((error: unknown) => Promise.reject(new SignInStoreError(error)));
    } catch (error) {
      throw new SignInStoreError(error);
    }
  }

  async #end(key: string, begunUntil: number, until: number): Promise<void> {
    try {
      await this.#store.end(this.#use, key, begunUntil, until);
    } catch (error) {
      throw new SignInStoreError(error);
    }
  }
}

/** Throws for what is no time: a store that says such a thing is not believed. */
function isOver(signedInAt: number, endedUntil: number | null | undefined): boolean {
  if (endedUntil === undefined || endedUntil === null) return false;
  if (typeof endedUntil !== "number" || Number.isNaN(endedUntil)) throw new TypeError("the store gave no time");
  return signedInAt <= endedUntil;
}

/** Random as it is. */
function idKey(id: string): string {
  return `id ${id}`;
}

/** Who somebody is to another party is nobody's business but the gateway's. */
function partyKey(kind: string, scheme: string, value: string): string {
  return `${kind} ${hash("sha256", `${scheme.toLowerCase()}\n${value}`, "base64url")}`;
}
