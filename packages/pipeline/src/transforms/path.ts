import { normalizePath } from "@proxy/http";
import type { TransformSettings } from "./transform-settings.ts";
import type { TransformFactory } from "./transform.ts";
import { encodePath, rawPrefixLength, withLeadingSlash } from "./path-text.ts";

/** `PathPrefix: /p` puts `/p` before the path. */
export const pathPrefix: TransformFactory = {
  key: "PathPrefix",
  build(settings, plan) {
    if (!settings.only()) return;
    const prefix = encodePath(withLeadingSlash(settings.value)).replace(/\/$/, "");
    if (!checkPath(settings, `${prefix}/`)) return;
    plan.request.push((outgoing) => {
      // The target of `OPTIONS *` is no path.
      if (outgoing.path !== "*") outgoing.path = prefix + outgoing.path;
    });
  },
};

/** `PathRemovePrefix: /p` takes `/p` off, if the path begins with it as whole segments; letter case does not matter. */
export const pathRemovePrefix: TransformFactory = {
  key: "PathRemovePrefix",
  build(settings, plan) {
    if (!settings.only()) return;
    const prefix = withLeadingSlash(settings.value).replace(/\/$/, "").toLowerCase();
    if (prefix === "") return;
    plan.request.push((outgoing) => {
      const length = rawPrefixLength(outgoing.path, prefix);
      if (length >= 0) outgoing.path = outgoing.path.slice(length);
    });
  },
};

/** `PathSet: /p` replaces the path. */
export const pathSet: TransformFactory = {
  key: "PathSet",
  build(settings, plan) {
    if (!settings.only()) return;
    const path = encodePath(withLeadingSlash(settings.value));
    if (!checkPath(settings, path)) return;
    plan.request.push((outgoing) => {
      outgoing.path = path;
    });
  },
};

/** Reports a path with dot segments, or with what no path may hold. */
export function checkPath(settings: TransformSettings, path: string): boolean {
  if (normalizePath(path) === path) return true;
  settings.report(
    "bad-path",
    `transform '${settings.form}' has a path that cannot be sent: '${settings.value}'`,
    "dot segments and %00 cannot stand in it",
  );
  return false;
}
