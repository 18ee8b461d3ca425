import { HeaderList, isHeaderName, isMethod, parseRequestTarget } from "@proxy/http";
import type { RouteRequest } from "@proxy/pipeline";

/** The text of `--request` or `--header` makes no request. */
export class RequestTextError extends Error {
  override readonly name = "RequestTextError";
}

/**
 * The request that `GET http://host/path?query` (GET when only a URL is given) and header lines describe, normalised
 * as a front server does. Throws `RequestTextError`.
 */
export function parseRequestText(text: string, headerLines: readonly string[]): RouteRequest {
  const parts = text.trim().split(/\s+/);
  const [method, url] = parts.length === 1 ? ["GET", parts[0]!] : [parts[0]!, parts[1]!];
  if (parts.length > 2 || !isMethod(method)) {
    throw new RequestTextError(`'${text}' is no request: it looks like "GET http://host/path"`);
  }
  const target = parseRequestTarget(method, url);
  if (target.form === "invalid") {
    throw new RequestTextError(`'${url}' is refused by every listener before routing: ${target.code}`);
  }
  const headers = HeaderList.from(headerLines.map(parseHeader));
  if (target.form === "absolute") {
    return {
      method,
      path: target.path,
      query: target.query,
      scheme: target.scheme ?? "http",
      authority: headers.get("host") ?? target.authority,
      headers,
    };
  }
  return {
    method,
    path: target.path,
    query: target.query,
    scheme: "http",
    authority: headers.get("host") ?? "localhost",
    headers,
  };
}

function parseHeader(line: string): [name: string, value: string] {
  const colon = line.indexOf(":");
  const name = line.slice(0, colon);
  if (colon < 1 || !isHeaderName(name)) throw new RequestTextError(`'${line}' is no header: it looks like "Name: value"`);
  return [name, line.slice(colon + 1).trim()];
}
