import type { HeaderList, RequestHead } from "@proxy/http";
import { fieldsNamedByConnection, requestFieldKind } from "./hop-by-hop.ts";

/**
 * Copies the request's fields that may pass to a destination into `target`: lines in order, case kept. Left out
 * are the connection's own fields, those that `Connection` names, framing, pseudo fields, and `omit` (keys).
 * Cookie lines are joined with `; ` (RFC 9113, 8.2.3); `TE: trailers` passes from HTTP/2 and 3 only.
 *
 * Returns whether there was a field about content among the copied, or a Content-Length: over HTTP/2 a request may have one of
 * 0 without a body. For transforms that build the outgoing fields themselves.
 */
export function copyRequestFields(
  request: RequestHead,
  target: HeaderList,
  omit?: ReadonlySet<string> | undefined,
): boolean {
  const source = request.headers;
  const named = fieldsNamedByConnection(source);
  let cookie = -1;
  let content = false;
  for (let i = 0, size = source.size; i < size; i++) {
    const key = source.keyAt(i);
    const kind = requestFieldKind(key);
    if (kind === "dropped" || key.charCodeAt(0) === 58) continue;
    if (omit !== undefined && omit.has(key)) continue;
    if (named !== undefined && key !== "host" && kind !== "te" && named.includes(key)) continue;
    if (kind !== undefined) {
      if (kind === "content") {
        content = true;
      } else if (kind === "length") {
        content = true;
        continue;
      } else if (kind === "te") {
        copyTe(request, i, target);
        continue;
      } else if (cookie < 0) {
        cookie = target.size;
      } else {
        target.setValueAt(cookie, `${target.valueAt(cookie)}; ${source.valueAt(i)}`);
        continue;
      }
    }
    target.appendFrom(source, i);
  }
  return content;
}

function copyTe(request: RequestHead, index: number, target: HeaderList): void {
  if (request.httpVersion !== "2" && request.httpVersion !== "3") return;
  const value = request.headers.valueAt(index);
  if (value.toLowerCase() === "trailers" && !target.has("te")) target.appendFrom(request.headers, index);
}

/** Whether the client waits for 100 before it sends the body (RFC 9110, 10.1.1). */
export function expectsContinue(request: RequestHead): boolean {
  if (request.httpVersion === "1.0") return false;
  const index = request.headers.indexOf("expect");
  return index >= 0 && request.headers.valueAt(index).toLowerCase() === "100-continue";
}
