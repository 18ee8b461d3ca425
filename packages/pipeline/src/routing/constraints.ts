/**
 * Decides whether a route value is acceptable. `null` is a parameter that is present without a value (an empty
 * catch-all).
 */
export type RouteConstraint = (value: string | null) => boolean;

/**
 * Makes a constraint from the text between its parentheses (undefined when there are none). Throws a
 * `ConstraintError` when the text makes no sense.
 */
export type ConstraintFactory = (argument: string | undefined) => RouteConstraint;
