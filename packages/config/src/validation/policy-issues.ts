/** What the checks of policies share: how they report, and what names are made of. */

/** Reports a fault of a policy; `member` is the path below it. */
export type AddPolicyIssue = (code: string, member: readonly (string | number)[], message: string, hint?: string) => void;

/** A name of a method or header field (RFC 9110, 5.6.2). */
export const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Says what is wrong with a number that has to be whole and at least `least`. */
export function checkWhole(add: AddPolicyIssue, code: string, member: readonly (string | number)[], value: number | undefined, least: number, most = Number.MAX_SAFE_INTEGER): void {
  if (value !== undefined && !(Number.isSafeInteger(value) && value >= least && value <= most)) {
    add(code, member, `${String(member.at(-1))} must be a whole number of at least ${least}${most === Number.MAX_SAFE_INTEGER ? "" : `, up to ${most}`}`);
  }
}
