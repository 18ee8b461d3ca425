/** What the forms of response fields and those of trailers have in common. */
import { headerKey, HeaderList } from "@proxy/http";
import { checkHeader, warnOfName } from "./header-settings.ts";
import type { TransformFactory, TransformPlan } from "./transform.ts";
import { when, type StatusCondition } from "./when.ts";

/** A line that is to be set or appended where the status of the response is right. */
export interface LineChange {
  readonly holds: StatusCondition;
  readonly key: string;
  readonly append: boolean;
  apply(lines: HeaderList): void;
}

/** A form `key: name` with `Set` or `Append: value`, on the responses that `When` names. */
export function lineForm(key: string, add: (plan: TransformPlan, change: LineChange) => void): TransformFactory {
  return {
    key,
    build(settings, plan) {
      const change = settings.setOrAppend("Set", "When");
      const holds = when(settings);
      if (change === undefined || holds === undefined) return;
      const name = settings.value;
      const { append, value } = change;
      if (!checkHeader(settings, name, value)) return;
      // Made and checked once, not with each response.
      const line = HeaderList.from([[name, value]]);
      const own = line.keyAt(0);
      add(plan, {
        holds,
        key: own,
        append,
        apply(lines) {
          if (!append && lines.has(own)) lines.set(name, value);
          else lines.appendFrom(line, 0);
        },
      });
    },
  };
}

/** A form `key: name` that takes all lines of that name out, on the responses that `When` names. */
export function removeForm(key: string, add: (plan: TransformPlan, holds: StatusCondition, key: string) => void): TransformFactory {
  return {
    key,
    build(settings, plan) {
      const holds = when(settings);
      if (!settings.only("When") || holds === undefined) return;
      warnOfName(settings, settings.value);
      add(plan, holds, headerKey(settings.value));
    },
  };
}

/** A form `key: true` or `false` that switches the copying of all lines. */
export function copyForm(key: string, member: "copyResponseHeaders" | "copyResponseTrailers"): TransformFactory {
  return {
    key,
    build(settings, plan) {
      const copy = settings.boolean();
      if (copy !== undefined && settings.only()) plan[member] = copy;
    },
  };
}
