import type { ConfigIssue, RedirectAction, RouteConfig } from "@proxy/config";
import { HeaderList } from "@proxy/http";
import type { ProxyContext } from "../context.ts";

const placeholder = /\{(\*{0,2})([^{}*]+)\}/g;
/** A path, or a URL whose scheme and authority are fixed: no request decides where a client is sent. */
const fixedStart = /^(?:\/(?!\/)|https?:\/\/[^/?#{}\s]+(?:[/?#]|$))/i;
/** What a Location may hold beside placeholders: URI characters (RFC 3986, 2). */
const uriText = /^[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=%]*$/;

/**
 * Prepares the answer of a `Redirect` route. `{name}` in the location stands for a route value, percent-encoded;
 * the slashes of a catch-all stay. The query of the request is dropped, as a `return 302 /x` of nginx does. What is wrong with it goes to `issues`.
 */
export function compileRedirect(
  route: RouteConfig,
  action: RedirectAction,
  issues: ConfigIssue[],
): (ctx: ProxyContext) => void {
  const status = action.statusCode ?? 302;
  const { location } = action;
  const report = (message: string, hint?: string): void => {
    issues.push({
      code: "redirect-location",
      severity: "error",
      message: `${message} (route '${route.routeId}')`,
      hint,
      entity: { kind: "route", id: route.routeId },
      path: ["Redirect", "Location"],
      value: location,
    });
  };
  const literals: string[] = [];
  const names: { readonly name: string; readonly catchAll: boolean }[] = [];
  let from = 0;
  for (const match of location.matchAll(placeholder)) {
    literals.push(location.slice(from, match.index));
    const name = match[2] ?? "";
    const captured = parameterOf(route.match.path ?? "", name);
    if (captured === undefined) {
      report(`'{${name}}' in location '${location}' is no parameter of the route's path`);
    }
    names.push({ name, catchAll: captured?.catchAll ?? false });
    from = match.index + match[0].length;
  }
  literals.push(location.slice(from));
  if (!fixedStart.test(location) || !literals.every((text) => uriText.test(text))) {
    report(
      `location '${location}' is neither a path nor an http or https URL`,
      "begin with / or with a scheme and host that hold no parameter; encode what a URL cannot hold",
    );
  }
  return (ctx) => {
    let text = literals[0] ?? "";
    for (let i = 0; i < names.length; i++) {
      const { name, catchAll } = names[i] as (typeof names)[number];
      text += encodeValue(ctx.routeValues.getRaw(name) ?? "", catchAll) + (literals[i + 1] ?? "");
    }
    // `//host` would be another site: a captured value must not make one of a path.
    if (text.startsWith("//")) text = text.replace(/^\/+/, "/");
    const headers = HeaderList.from([
      ["Location", text],
      ["Content-Length", "0"],
    ]);
    ctx.exchange.response.send({ status, headers });
  };
}

function parameterOf(template: string, name: string): { readonly catchAll: boolean } | undefined {
  for (const match of template.matchAll(/\{(\*{0,2})([^{}:=?*]+)/g)) {
    if (match[2]?.toLowerCase() === name.toLowerCase()) return { catchAll: match[1] !== "" };
  }
  return undefined;
}

/** Encoded anew from the raw value, so that `%2F` stays an encoded slash and a slash a slash. */
function encodeValue(raw: string, catchAll: boolean): string {
  return raw
    .split("/")
    .map((segment) => segment.split(/%2f/i).map(encodeDecoded).join("%2F"))
    .join(catchAll ? "/" : "%2F");
}

function encodeDecoded(raw: string): string {
  try {
    return encodeURIComponent(decodeURIComponent(raw));
  } catch {
    // Not UTF-8: the bytes stay as the client sent them.
    return raw.replace(/%(?![0-9A-Fa-f]{2})|[^%A-Za-z0-9\-._~]/g, encodeURIComponent);
  }
}
