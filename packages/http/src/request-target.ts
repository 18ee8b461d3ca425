import { isAuthority, portColon } from "./authority.ts";
import { isQuery, normalizePath } from "./normalize-path.ts";

/**
 * The four forms of a request target, each bound to its methods (RFC 9112, 3.2): origin (`/path?query`), absolute
 * (`http://host/path`, http and https only), authority (`host:port`, CONNECT only), asterisk (`*`, OPTIONS only).
 */
export type RequestTargetForm = "origin" | "absolute" | "authority" | "asterisk";

export interface RequestTarget {
  readonly form: RequestTargetForm;
  /** The scheme of an absolute target; undefined in the other forms, where the connection tells. */
  readonly scheme: "http" | "https" | undefined;
  /** The authority of an absolute or authority target, validated; "" in the other forms, where Host tells. */
  readonly authority: string;
  /** The normal form of the path; `*` for OPTIONS without a path; "" in authority form. */
  readonly path: string;
  /** With its `?`, or empty. */
  readonly query: string;
}

/** A target that is refused: the answer's status and a code for logs. */
export interface InvalidRequestTarget {
  readonly form: "invalid";
  readonly status: 400;
  readonly code:
    | "INVALID_TARGET_FORM"
    | "INVALID_TARGET_SCHEME"
    | "INVALID_TARGET_AUTHORITY"
    | "INVALID_TARGET_PATH"
    | "INVALID_TARGET_QUERY";
}

const badForm: InvalidRequestTarget = { form: "invalid", status: 400, code: "INVALID_TARGET_FORM" };
const badScheme: InvalidRequestTarget = { form: "invalid", status: 400, code: "INVALID_TARGET_SCHEME" };
const badAuthority: InvalidRequestTarget = { form: "invalid", status: 400, code: "INVALID_TARGET_AUTHORITY" };
const badPath: InvalidRequestTarget = { form: "invalid", status: 400, code: "INVALID_TARGET_PATH" };
const badQuery: InvalidRequestTarget = { form: "invalid", status: 400, code: "INVALID_TARGET_QUERY" };
const asterisk: RequestTarget = { form: "asterisk", scheme: undefined, authority: "", path: "*", query: "" };

const slash = 0x2f;

/** Reads the target of a request line; never throws. `form` tells whether it is to be refused. */
export function parseRequestTarget(method: string, target: string): RequestTarget | InvalidRequestTarget {
  if (method === "CONNECT") return parseAuthorityForm(target);
  if (target.charCodeAt(0) === slash) {
    const mark = target.indexOf("?");
    if (mark < 0) {
      const path = normalizePath(target);
      return path === undefined ? badPath : { form: "origin", scheme: undefined, authority: "", path, query: "" };
    }
    const path = normalizePath(target.slice(0, mark));
    if (path === undefined) return badPath;
    const query = target.slice(mark);
    return isQuery(query) ? { form: "origin", scheme: undefined, authority: "", path, query } : badQuery;
  }
  if (target === "*") return method === "OPTIONS" ? asterisk : badForm;
  return parseAbsoluteForm(method, target);
}

function parseAuthorityForm(target: string): RequestTarget | InvalidRequestTarget {
  if (!isAuthority(target) || portColon(target) < 0) return badAuthority;
  return { form: "authority", scheme: undefined, authority: target, path: "", query: "" };
}

function parseAbsoluteForm(method: string, target: string): RequestTarget | InvalidRequestTarget {
  const schemeEnd = target.indexOf("://");
  if (schemeEnd < 0) return badForm;
  const scheme = target.slice(0, schemeEnd).toLowerCase();
  if (scheme !== "http" && scheme !== "https") return badScheme;
  const from = schemeEnd + 3;
  let end = from;
  while (end < target.length && !endsAuthority(target.charCodeAt(end))) end++;
  const authority = target.slice(from, end);
  if (!isAuthority(authority)) return badAuthority;
  const mark = target.indexOf("?", end);
  const rawPath = mark < 0 ? target.slice(end) : target.slice(end, mark);
  const query = mark < 0 ? "" : target.slice(mark);
  if (!isQuery(query)) return badQuery;
  if (rawPath === "") {
    const path = method === "OPTIONS" && query === "" ? "*" : "/";
    return { form: "absolute", scheme, authority, path, query };
  }
  const path = normalizePath(rawPath);
  return path === undefined ? badPath : { form: "absolute", scheme, authority, path, query };
}

/** `#` ends an authority too; what follows is then refused as a path. */
function endsAuthority(code: number): boolean {
  return code === slash || code === 0x3f || code === 0x23;
}
