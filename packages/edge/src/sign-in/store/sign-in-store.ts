/**
 * What gateways of one site remember of sign-ins: what may be used once, and sessions that were ended before their time. In memory here; one that gateways
 * share has each of them know what another was told.
 *
 * Everything may be given at once or by a promise. A throw or rejection means that it cannot be known: what was asked for is refused with 503, and nobody
 * gets in meanwhile. The store bounds how long it waits itself.
 *
 * `use` says what for, and names the scheme: two of them never meet. Keys have at most 64 characters of visible ASCII, and no names or secrets in them. Times are
 * milliseconds since 1970; of gateways that share a store the clocks agree to a few seconds.
 *
 * A store may forget what it was given once `until` is past. Before, only if it goes on the safe side: of what it does not know for sure any more it says that it was
 * taken, and that sessions which began by then are over.
 */
export interface SignInStore {
  /** True for the first who takes `key`, false for all others until `until`: of two at a time, on whatever gateways, one is the first. */
  take(use: string, key: string, until: number): boolean | Promise<boolean>;
  /** From now on sessions of `key` are over that began at `begunUntil` or before. Of two times for a key the later one holds. */
  end(use: string, key: string, begunUntil: number, until: number): void | Promise<void>;
  /**
   * The latest `begunUntil` of any of `keys`; undefined when there is none. Asked for each request of a session: a shared store that has what was ended at hand, such as by
   * a subscription, answers at once.
   */
  endedUntil(use: string, keys: readonly string[]): number | undefined | Promise<number | undefined>;
}

/** The store could not be asked. */
export class SignInStoreError extends Error {
  override readonly name = "SignInStoreError";

  constructor(cause: unknown) {
    super("what sign-ins remember cannot be asked for", { cause });
  }
}
