import { isHeaderValue, isToken } from "@proxy/http";
import type { TransformSettings } from "./transform-settings.ts";
import type { TransformFactory } from "./transform.ts";

/** What becomes of the attributes of one cookie. */
interface Change {
  /** Undefined: as it is. Empty: taken out. */
  readonly domain: string | undefined;
  readonly path: string | undefined;
  readonly fromPath: string | undefined;
  readonly sameSite: string | undefined;
  readonly secure: boolean | undefined;
  readonly httpOnly: boolean | undefined;
}

const sites = new Map(["Strict", "Lax", "None"].map((name) => [name.toLowerCase(), name]));

/**
 * `ResponseCookie: <name>` (or `*` for all) changes attributes in `Set-Cookie`: `Domain`, `Path` and `SameSite` are set, or
 * taken out by an empty value; `Secure` and `HttpOnly` are put in by true and taken out by false. With `FromPath` only a
 * path below it changes, and `Path` takes that part's place. What the prefixes `__Host-` and `__Secure-`
 * ask for stays (RFC 6265bis, 4.1.3): browsers would refuse the cookie.
 */
export const responseCookie: TransformFactory = {
  key: "ResponseCookie",
  build(settings, plan) {
    if (!settings.only("Domain", "Path", "FromPath", "SameSite", "Secure", "HttpOnly")) return;
    const name = settings.value;
    if (name !== "*" && !isToken(name)) {
      settings.report("bad-cookie", `transform 'ResponseCookie' names no cookie: '${name}'`);
      return;
    }
    const change = changeOf(settings);
    if (change === undefined) return;
    plan.response.push(({ headers }) => {
      for (let i = headers.indexOf("set-cookie"); i >= 0; i = headers.indexOf("set-cookie", i + 1)) {
        const value = headers.valueAt(i);
        const called = value.slice(0, endOfName(value)).trim();
        if (name !== "*" && called !== name) continue;
        const changed = withChange(value, called, change);
        if (changed !== value) headers.setValueAt(i, changed);
      }
    });
  },
};

function endOfName(value: string): number {
  const end = value.search(/[=;]/);
  return end < 0 ? value.length : end;
}

function withChange(value: string, name: string, change: Change): string {
  const [pair = "", ...attributes] = value.split(";");
  const isOfHost = name.toLowerCase().startsWith("__host-");
  const staysSecure = change.secure === false && (isOfHost || name.toLowerCase().startsWith("__secure-"));
  let kept = attributes;
  const set = (key: string, text: string | undefined): void => {
    if (text === undefined) return;
    kept = kept.filter((each) => attributeName(each) !== key.toLowerCase());
    if (text !== "") kept = [...kept, ` ${key}${text === key ? "" : `=${text}`}`];
  };
  if (!isOfHost) {
    set("Domain", change.domain);
    set("Path", pathOf(attributes, change));
  }
  set("SameSite", change.sameSite);
  if (!staysSecure) set("Secure", flag(change.secure, "Secure"));
  set("HttpOnly", flag(change.httpOnly, "HttpOnly"));
  return [pair, ...kept].join(";");
}

function flag(on: boolean | undefined, name: string): string | undefined {
  return on === undefined ? undefined : on ? name : "";
}

function pathOf(attributes: readonly string[], { path, fromPath }: Change): string | undefined {
  if (path === undefined || fromPath === undefined) return path;
  const attribute = attributes.findLast((each) => attributeName(each) === "path");
  const current = attribute?.slice(attribute.indexOf("=") + 1).trim();
  if (current === undefined || !current.startsWith("/")) return undefined;
  const from = fromPath.replace(/\/$/, "");
  const rest = current.slice(from.length);
  if (!current.startsWith(from) || (rest !== "" && !rest.startsWith("/"))) return undefined;
  return path.replace(/\/$/, "") + rest || "/";
}

function attributeName(attribute: string): string {
  return (attribute.split("=", 1)[0] ?? "").trim().toLowerCase();
}

function changeOf(settings: TransformSettings): Change | undefined {
  const texts = ["Domain", "Path", "FromPath", "SameSite"].map((key) => settings.get(key));
  const [domain, path, fromPath, site] = texts;
  const secure = truth(settings, "Secure");
  const httpOnly = truth(settings, "HttpOnly");
  if (secure === "wrong" || httpOnly === "wrong") return undefined;
  const bad =
    texts.some((text) => text !== undefined && (!isHeaderValue(text) || /[;,\s]/.test(text))) ||
    [path, fromPath].some((text) => text !== undefined && text !== "" && !text.startsWith("/")) ||
    (fromPath !== undefined && !path) ||
    (site !== undefined && site !== "" && !sites.has(site.toLowerCase()));
  if (bad) {
    settings.report(
      "bad-cookie",
      "transform 'ResponseCookie' has an attribute that no cookie can have",
      "Path and FromPath begin with a slash, FromPath needs Path, SameSite is Strict, Lax or None",
    );
    return undefined;
  }
  const sameSite = site === undefined ? undefined : (sites.get(site.toLowerCase()) ?? "");
  if (sameSite === "None" && secure === false) {
    settings.report("bad-cookie", "transform 'ResponseCookie' makes a cookie that browsers refuse: SameSite=None needs Secure");
    return undefined;
  }
  return { domain, path, fromPath, sameSite, secure, httpOnly };
}

function truth(settings: TransformSettings, key: string): boolean | undefined | "wrong" {
  const text = settings.get(key)?.toLowerCase();
  if (text === undefined) return undefined;
  if (text === "true" || text === "false") return text === "true";
  settings.report("not-a-boolean", `${key} of transform 'ResponseCookie' is true or false, not '${text}'`);
  return "wrong";
}
