import type { Exchange, HttpVersion, RequestHead, VersionPolicy } from "@proxy/http";

const mediaType = "application/grpc";

/** Whether `request` is a gRPC call: over HTTP/2 or later, with `application/grpc` or `application/grpc+…` as its content. */
export function isGrpcCall(request: RequestHead): boolean {
  if (request.httpVersion !== "2" && request.httpVersion !== "3") return false;
  const type = request.headers.get("content-type");
  if (type === undefined || type.length < mediaType.length) return false;
  const next = type.charCodeAt(mediaType.length);
  // The end, `+`, `;` or a blank: `application/grpc-web` is another protocol.
  const ends = type.length === mediaType.length || next === 0x2b || next === 0x3b || next === 0x20 || next === 0x09;
  return ends && type.slice(0, mediaType.length).toLowerCase() === mediaType;
}

/**
 * Lifts what a call of many messages cannot keep: the minimum rate of its body, and the server's limit of its size unless
 * that was set for this request. Only where it goes on over HTTP/2: HTTP/1.1 knows no such calls, whoever claims it.
 */
export function liftLimitsOfCall(exchange: Exchange, version: HttpVersion, policy: VersionPolicy, scheme: "http" | "https"): void {
  if (exchange.body === undefined || !isGrpcCall(exchange.request)) return;
  const orLower = policy === "RequestVersionOrLower";
  if (version.startsWith("1") ? orLower || policy === "RequestVersionExact" || scheme === "http" : orLower && scheme === "http") return;
  const { bodyRate, bodyLimit } = exchange.features;
  bodyRate?.lift();
  if (bodyLimit !== undefined && !bodyLimit.readOnly && bodyLimit.chosen !== true) bodyLimit.set(undefined);
}
