/** What is wrong: no affinity where it is used, settings that a policy cannot work with, or a status that is no failure where one is handled. */
export type AffinityErrorCode = "affinity-disabled" | "affinity-settings" | "not-a-failure";

/** Affinity is used or configured as it cannot be: a programmer's or a configuration's error. */
export class AffinityError extends Error {
  override readonly name = "AffinityError";
  readonly code: AffinityErrorCode;

  constructor(code: AffinityErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
