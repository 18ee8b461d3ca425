import { isHeaderValue } from "@proxy/http";
import type { ProxyContext } from "../context.ts";
import { destinationModelOf } from "../state/cluster-models.ts";
import { encodePath } from "./path-text.ts";
import type { TransformSettings } from "./transform-settings.ts";
import type { TransformFactory } from "./transform.ts";

/** An address that others lie below: scheme and authority, if it has them, and a path without slash at its end. */
interface Base {
  /** Lower case, without the scheme's own port. */
  readonly origin: string | undefined;
  readonly path: string;
}

const absolute = /^(https?):\/\/([^/?#]+)/i;

/**
 * `ResponseLocation: /api` makes `Location` and `Content-Location` what clients can follow: addresses below the
 * destination's own come out below `/api` on the host that the client asked, or below an absolute URL given instead.
 * `From` names another base than the destination's address. Addresses elsewhere stay.
 */
export const responseLocation: TransformFactory = {
  key: "ResponseLocation",
  build(settings, plan) {
    if (!settings.only("From")) return;
    const to = baseOf(settings, settings.value);
    const fromText = settings.get("From");
    const from = fromText === undefined ? undefined : baseOf(settings, fromText);
    if (to === undefined || (fromText !== undefined && from === undefined)) return;
    plan.response.push(({ headers }, ctx) => {
      for (const key of ["location", "content-location"]) {
        const index = headers.indexOf(key);
        if (index < 0) continue;
        const value = headers.valueAt(index);
        const changed = rewritten(value, from, to, ctx);
        if (changed !== value) headers.setValueAt(index, changed);
      }
    });
  },
};

function rewritten(value: string, from: Base | undefined, to: Base, ctx: ProxyContext): string {
  const { destination } = ctx;
  if (destination === undefined) return value;
  const { prepared, host } = destinationModelOf(destination);
  const match = absolute.exec(value);
  let rest = value;
  if (match !== null) {
    const [whole, scheme = "", authority = ""] = match;
    const named = originOf(scheme, authority);
    const own = [from?.origin, originOf(scheme, prepared.authority)];
    if (host !== undefined) own.push(originOf(scheme, host));
    // A destination that is told the client's Host may speak of itself by that name.
    if (ctx.route.transforms.originalHost === true) own.push(originOf(scheme, ctx.exchange.request.authority));
    if (!own.includes(named)) return value;
    rest = value.slice(whole.length);
  } else if (!value.startsWith("/") || value.startsWith("//")) return value;
  if (!rest.startsWith("/")) rest = `/${rest}`;
  const base = from?.path ?? prepared.basePath.replace(/\/$/, "");
  if (!isBelow(rest, base)) return value;
  const path = to.path + rest.slice(base.length);
  // `//host` would be another site, and so would be what browsers take for it: they read `\` as `/` and skip tabs.
  const safe = path.replace(/^[/\\\t]*/, "/");
  return to.origin === undefined ? safe : to.origin + safe;
}

function isBelow(path: string, base: string): boolean {
  if (!path.startsWith(base)) return false;
  const next = path.charAt(base.length);
  return next === "" || next === "/" || next === "?" || next === "#";
}

function originOf(scheme: string, authority: string): string {
  const lower = authority.toLowerCase();
  const port = scheme.toLowerCase() === "https" ? ":443" : ":80";
  return `${scheme.toLowerCase()}://${lower.endsWith(port) ? lower.slice(0, -port.length) : lower}`;
}

function baseOf(settings: TransformSettings, text: string): Base | undefined {
  const match = absolute.exec(text);
  const path = match === null ? text : text.slice(match[0].length);
  if (isHeaderValue(text) && !/[?#\s\\]/.test(text) && (match !== null || /^\/(?!\/)/.test(text) || text === "/")) {
    return {
      origin: match === null ? undefined : originOf(match[1] ?? "", match[2] ?? ""),
      path: encodePath(path).replace(/\/$/, ""),
    };
  }
  settings.report("bad-location-base", `transform 'ResponseLocation' takes a path or an http or https URL without query, not '${text}'`);
  return undefined;
}
