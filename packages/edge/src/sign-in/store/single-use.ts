import { hash } from "node:crypto";
import { SignInStoreError, type SignInStore } from "./sign-in-store.ts";

/** What may be used once, by whichever gateway it comes to: states, tokens. */
export class SingleUse {
  readonly #store: SignInStore;
  readonly #use: string;

  /** `kind`: of what; those of two schemes never meet. */
  constructor(store: SignInStore, kind: string, scheme: string) {
    this.#store = store;
    this.#use = `${kind} ${scheme.toLowerCase()}`;
  }

  /** Whether `id`, of whatever length, is used for the first time; it would not be taken after `until` anyway. Rejects with `SignInStoreError`. */
  async take(id: string, until: number): Promise<boolean> {
    try {
      return (await this.#store.take(this.#use, hash("sha256", id, "base64url"), until)) === true;
    } catch (error) {
      throw new SignInStoreError(error);
    }
  }
}
