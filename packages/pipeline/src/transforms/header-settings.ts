import { isHeaderName, isHeaderValue } from "@proxy/http";
import type { TransformSettings } from "./transform-settings.ts";

/** Reports a name or value that cannot stand in a field line; true when both can. */
export function checkHeader(settings: TransformSettings, name: string, value: string): boolean {
  if (!isHeaderName(name)) {
    settings.report("bad-header-name", `transform '${settings.form}' names no header field: '${name}'`);
    return false;
  }
  if (!isHeaderValue(value)) {
    settings.report(
      "bad-header-value",
      `transform '${settings.form}' has a value for '${name}' that no header field can hold`,
      "control characters and characters beyond latin1 cannot be sent",
    );
    return false;
  }
  return true;
}
