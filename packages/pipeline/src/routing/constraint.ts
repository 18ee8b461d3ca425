/**
 * Decides whether a route value is acceptable. `null` is a parameter that is present without a value (an empty
 * catch-all). One that throws does not accept.
 */
export type RouteConstraint = (value: string | null) => boolean;

/**
 * Makes a constraint from the text between its parentheses (undefined when there are none). Throws a
 * `ConstraintError` when the text makes no sense.
 */
export type ConstraintFactory = (argument: string | undefined) => RouteConstraint;

/** What is wrong with a constraint: nobody knows it, its arguments, or its regular expression. */
export type ConstraintErrorCode = "constraint-unknown" | "constraint-arguments" | "constraint-regex";

/** A constraint that cannot be made. */
export class ConstraintError extends Error {
  override readonly name = "ConstraintError";
  readonly code: ConstraintErrorCode;
  readonly hint: string | undefined;

  constructor(code: ConstraintErrorCode, message: string, hint?: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.hint = hint;
  }
}
