import { builtInConstraints } from "./built-in-constraints.ts";
import { ConstraintError } from "./constraint.ts";
import type { ConstraintFactory, RouteConstraint } from "./constraint.ts";

/** All constraints of a table: the built-in ones and those registered, which win. Names ignore case. */
export class ConstraintCatalogue {
  readonly #factories = new Map<string, ConstraintFactory>(builtInConstraints);
  readonly #made = new Map<string, RouteConstraint>();

  constructor(registered: Readonly<Record<string, ConstraintFactory>> = {}) {
    for (const [name, factory] of Object.entries(registered)) this.#factories.set(name.toLowerCase(), factory);
  }

  /** Makes the constraint of `text`, such as `int` or `length(3,5)`. Throws a `ConstraintError`. */
  resolve(text: string): RouteConstraint {
    let constraint = this.#made.get(text);
    if (constraint === undefined) {
      constraint = this.#make(text);
      this.#made.set(text, constraint);
    }
    return constraint;
  }

  #make(text: string): RouteConstraint {
    const open = text.indexOf("(");
    const called = open >= 0 && text.endsWith(")");
    const name = called ? text.slice(0, open) : text;
    const factory = this.#factories.get(name.toLowerCase());
    if (factory === undefined) {
      const known = [...this.#factories.keys()].join(", ");
      throw new ConstraintError("constraint-unknown", `unknown constraint ${JSON.stringify(name)}`, `one of ${known}`);
    }
    try {
      return guard(factory(called ? text.slice(open + 1, -1) : undefined));
    } catch (error) {
      if (error instanceof ConstraintError) throw error;
      const message = `constraint ${JSON.stringify(text)} cannot be made: ${error instanceof Error ? error.message : String(error)}`;
      throw new ConstraintError("constraint-arguments", message, undefined, { cause: error });
    }
  }
}

function guard(constraint: RouteConstraint): RouteConstraint {
  return (value) => {
    try {
      return constraint(value);
    } catch {
      return false;
    }
  };
}
