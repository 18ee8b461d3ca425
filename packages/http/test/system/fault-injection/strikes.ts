import { type Fault, kinds, type Step, steps } from "./plan.ts";

/** How often each fault struck: side, kind and step. */
export class Strikes {
  readonly #struck = new Map<string, number>();

  count(side: "client" | "destination", kind: Fault["kind"], step: Step): void {
    const name = `${kind} ${step} of the ${side}`;
    this.#struck.set(name, (this.#struck.get(name) ?? 0) + 1);
  }

  /** The faults that struck less than `least` times. */
  below(least: number): string[] {
    const all = ["client", "destination"].flatMap((side) =>
      kinds.slice(1).flatMap((kind) => steps.map((step) => `${kind} ${step} of the ${side}`)));
    return all.filter((name) => (this.#struck.get(name) ?? 0) < least);
  }
}
