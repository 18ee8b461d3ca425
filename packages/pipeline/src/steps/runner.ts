import type { RouteModel } from "../route-model.ts";
import type { Next, Step } from "./step.ts";

/**
 * Puts steps into one function. Each step's successor is bound here, once, so that running the chain allocates
 * nothing: see docs/adr/0003-steps-take-the-context.md. The end of the chain does nothing.
 */
export function compileSteps(steps: readonly Step[]): Next {
  return steps.reduceRight<Next>((next, step) => {
    const run = step.run;
    return (ctx) => run(ctx, next);
  }, end);
}

function end(): void {}

/** Makes the chain of each route from the steps that apply to it; routes with the same steps share one. */
export function chainCompiler(steps: readonly Step[]): (route: RouteModel) => Next {
  checkNames(steps);
  const chains = new Map<string, Next>();
  return (route) => {
    const held: Step[] = [];
    let isShared = true;
    for (const step of steps) {
      if (step.applies?.(route) === false) continue;
      if (step.bind === undefined) {
        held.push(step);
        continue;
      }
      const run = step.bind(route);
      if (run === undefined) continue;
      held.push({ name: step.name, run });
      isShared = false;
    }
    if (!isShared) return compileSteps(held);
    const key = held.map((step) => step.name).join("\n");
    let chain = chains.get(key);
    if (chain === undefined) chains.set(key, (chain = compileSteps(held)));
    return chain;
  };
}

function checkNames(steps: readonly Step[]): void {
  const names = new Set<string>();
  for (const { name } of steps) {
    if (names.has(name)) throw new TypeError(`two steps are named '${name}'`);
    names.add(name);
  }
}

/** `steps` with `added` before the step called `name`. Throws when there is none. */
export function insertBefore(steps: readonly Step[], name: string, ...added: readonly Step[]): Step[] {
  return steps.toSpliced(positionOf(steps, name), 0, ...added);
}

/** `steps` with `added` after the step called `name`. Throws when there is none. */
export function insertAfter(steps: readonly Step[], name: string, ...added: readonly Step[]): Step[] {
  return steps.toSpliced(positionOf(steps, name) + 1, 0, ...added);
}

function positionOf(steps: readonly Step[], name: string): number {
  const index = steps.findIndex((step) => step.name === name);
  if (index < 0) throw new TypeError(`no step is named '${name}': known are ${steps.map((step) => step.name).join(", ")}`);
  return index;
}
