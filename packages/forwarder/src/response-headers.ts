import { HeaderList, type HttpVersion, reasonPhrase, type ResponseHead } from "@proxy/http";
import type { ClientResponse } from "./forward-options.ts";
import { fieldsNamedByConnection, responseFieldsDropped, trailerFieldsDropped } from "./hop-by-hop.ts";

/**
 * Copies the fields of a destination's response that may pass to the client into `target`, after what stands
 * there already. Left out are the connection's own fields, those that `Connection` names, Content-Length where
 * Transfer-Encoding contradicts it or the status has no content, and a Strict-Transport-Security when the gateway
 * set its own.
 */
export function copyResponseFields(head: ResponseHead, target: HeaderList): void {
  const source = head.headers;
  const named = fieldsNamedByConnection(source);
  const chunked = source.has("transfer-encoding");
  const noContent = head.status < 200 || head.status === 204 || head.status === 205;
  const ownSecurity = target.size > 0 && target.has("strict-transport-security");
  for (let i = 0, size = source.size; i < size; i++) {
    const key = source.keyAt(i);
    if (responseFieldsDropped.has(key) || key.charCodeAt(0) === 58) continue;
    if (named !== undefined && named.includes(key)) continue;
    if (key === "content-length" && (chunked || (noContent && source.valueAt(i) === "0"))) continue;
    if (ownSecurity && key === "strict-transport-security") continue;
    target.appendFrom(source, i);
  }
}

/** The trailer lines that may pass (RFC 9110, 6.5.1), or undefined when none is left. */
export function passingTrailers(trailers: HeaderList | undefined): HeaderList | undefined {
  if (trailers === undefined) return undefined;
  const passing = new HeaderList();
  for (let i = 0; i < trailers.size; i++) {
    const key = trailers.keyAt(i);
    if (!trailerFieldsDropped.has(key) && key.charCodeAt(0) !== 58) passing.appendFrom(trailers, i);
  }
  return passing.size === 0 ? undefined : passing;
}

/** The head for the client before anything is copied: status, what the gateway itself has to say, and the reason. */
export function clientHead(head: ResponseHead, version: HttpVersion, own: HeaderList | undefined): ClientResponse {
  // HTTP/2 has no reason phrase, and the standard one is the server's to write.
  const standard = version === "2" || version === "3" || head.reason === reasonPhrase(head.status);
  const headers = own === undefined ? new HeaderList() : own.copy();
  return { status: head.status, reason: standard ? undefined : head.reason, headers, bodyChange: undefined, endsWithConnection: head.endsWithConnection };
}

/** Bodies that pause for long: the client has to see the head, and each event, at once. */
export function isEventStream(headers: HeaderList): boolean {
  const type = headers.get("content-type");
  // The letter after the slash tells most others apart without making a string.
  return type !== undefined && type.length >= 17 && (type.charCodeAt(5) | 0x20) === 0x65
    && type.slice(0, 17).toLowerCase() === "text/event-stream";
}
