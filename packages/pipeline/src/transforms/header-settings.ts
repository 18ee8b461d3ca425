import { headerKey, isAuthority, isHeaderName, isHeaderValue } from "@proxy/http";
import type { TransformSettings } from "./transform-settings.ts";

/** Fields of a connection, and those that say where a message ends (RFC 9110, 7.6.1; RFC 9112, 6): the wire's to write. */
const notForTransforms: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "http2-settings",
  "keep-alive",
  "proxy-connection",
  "te",
  "transfer-encoding",
  "upgrade",
]);

/** Reports a name that cannot stand in a field line, or that no transform may write; true when there is nothing to report. */
export function checkHeaderName(settings: TransformSettings, name: string): boolean {
  if (!isHeaderName(name)) {
    settings.report("bad-header-name", `transform '${settings.form}' names no header field: '${name}'`);
    return false;
  }
  if (notForTransforms.has(headerKey(name))) {
    settings.report(
      "framing-header",
      `transform '${settings.form}' may not write '${name}'`,
      "fields of the connection and of framing are written by the gateway itself",
    );
    return false;
  }
  return true;
}

/** Reports a name or value that cannot stand in a field line; true when both can. */
export function checkHeader(settings: TransformSettings, name: string, value: string): boolean {
  if (!checkHeaderName(settings, name)) return false;
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

/** A request has one Host (RFC 9112, 3.2): reports what would add a second, or one that is none. */
export function checkHost(settings: TransformSettings, name: string, append: boolean, value: string | undefined): boolean {
  if (headerKey(name) !== "host") return true;
  if (append) {
    settings.report("bad-header-value", `transform '${settings.form}' cannot append to Host`, "a request has one Host: use Set");
    return false;
  }
  if (value !== undefined && !isAuthority(value)) {
    settings.report("bad-header-value", `transform '${settings.form}' has a value for '${name}' that is no host`);
    return false;
  }
  return true;
}

/** The keys of a list `a;b;c`; names that no field can have are warned of. */
export function headerKeys(settings: TransformSettings, text: string): ReadonlySet<string> {
  const names = text.split(";").map((name) => name.trim()).filter((name) => name !== "");
  for (const name of names) warnOfName(settings, name);
  return new Set(names.map(headerKey));
}

/** Warns of a name that no field can have: the transform is without effect, which breaks nothing. */
export function warnOfName(settings: TransformSettings, name: string): boolean {
  if (isHeaderName(name)) return true;
  settings.warn("bad-header-name", `transform '${settings.form}' names no header field: '${name}'`);
  return false;
}
