import type { DestinationRequest } from "../../../destination-client.ts";
import { isToken } from "../../../field-grammar.ts";
import type { HeaderLine, HeaderList } from "../../../header-list.ts";
import { isSafeLine, isSafeTarget, UnsafeHead } from "../../client/request-head.ts";

/** Fields that HTTP/2 does not have, or that are made from the request itself (RFC 9113, 8.2.2). */
const leftOut: ReadonlySet<string> = new Set([
  "connection", "content-length", "expect", "host", "http2-settings", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade",
]);

/** Fields that a trailer section must not hold (RFC 9110, 6.5.1). */
const forbiddenTrailers: ReadonlySet<string> = new Set([...leftOut, "content-encoding", "content-range", "content-type", "te", "trailer"]);

/**
 * The fields of `request` as `name, value, …` with the pseudo-fields first (RFC 9113, 8.3.1; RFC 8441, 4 for `upgrade`), or
 * what is wrong with it. `host` is the authority of a request that names none.
 */
export function requestFields(request: DestinationRequest, scheme: string, host: string): string[] | UnsafeHead {
  const { method, target, headers, body, upgrade } = request;
  if (!isToken(method)) return new UnsafeHead("the method is no token");
  if (!isSafeTarget(target)) return new UnsafeHead("the target holds an illegal character");
  if (upgrade !== undefined && !isToken(upgrade)) return new UnsafeHead("the protocol of the upgrade is no token");
  if (method === "CONNECT" && upgrade === undefined) return new UnsafeHead("CONNECT without a protocol");

  const fields = [":method", upgrade === undefined ? method : "CONNECT", ":scheme", scheme, ":authority", host, ":path", target];
  if (upgrade !== undefined) fields.push(":protocol", upgrade);
  let hosts = 0;
  for (let i = 0; i < headers.size; i++) {
    const line = headers.lineAt(i);
    const { key, value } = line;
    if (!isSafeLine(line)) return new UnsafeHead("a field holds an illegal character");
    if (key === "host") {
      if (++hosts > 1) return new UnsafeHead("there are two Host fields");
      fields[5] = value;
    } else if (key === "te") {
      // The one value it may have, in any case of its letters (RFC 9113, 8.2.2); some take lower case alone.
      if (value.toLowerCase() === "trailers") fields.push(key, "trailers");
    } else if (!leftOut.has(key)) {
      fields.push(key, value);
    }
  }
  if (body?.length !== undefined) fields.push("content-length", String(body.length));
  if (request.expectContinue === true && body !== undefined) fields.push("expect", "100-continue");
  return fields;
}

/** The lines of a trailer section that may be sent, or undefined when one cannot be written. */
export function trailerLines(trailers: HeaderList): HeaderLine[] | undefined {
  const lines: HeaderLine[] = [];
  for (let i = 0; i < trailers.size; i++) {
    const line = trailers.lineAt(i);
    if (!isSafeLine(line)) return undefined;
    if (!forbiddenTrailers.has(line.key)) lines.push(line);
  }
  return lines;
}
