import type { TransformSettings } from "./transform-settings.ts";

/** Set: anew; Append: after what came; Remove: nothing goes out; Off: what came passes. */
export type ForwardedAction = "Set" | "Append" | "Remove" | "Off";

const actions: ReadonlySet<string> = new Set<ForwardedAction>(["Set", "Append", "Remove", "Off"]);

/** The action called `name`, in that spelling; reports any other. */
export function forwardedAction(settings: TransformSettings, key: string, name: string): ForwardedAction | undefined {
  if (actions.has(name)) return name as ForwardedAction;
  settings.report(
    "bad-forwarded-action",
    `transform '${settings.form}' has no action '${name}' for ${key}: known are ${[...actions].join(", ")}`,
  );
  return undefined;
}
