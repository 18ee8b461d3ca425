import type { UpgradeFeature } from "@proxy/http";

/**
 * Whether an upgrade is passed on to destinations: WebSocket and SPDY. Any other token, h2c above all, is dropped
 * and the request forwarded as an ordinary one. WebSocket over HTTP/2 (RFC 8441) is not forwarded yet.
 */
export function isForwardedUpgrade(feature: UpgradeFeature): boolean {
  if (feature.kind !== "http1") return false;
  const protocol = feature.protocol.toLowerCase();
  return protocol === "websocket" || protocol.startsWith("spdy/");
}
