import type { HeaderList, HttpVersion, UpgradeFeature, VersionPolicy } from "@proxy/http";
import { fieldsNamedByConnection } from "./hop-by-hop.ts";

/** Protocols that are passed on to destinations. */
export type ForwardedUpgrade = "websocket" | "spdy";

/**
 * Which upgrade the client asks for: WebSocket over either version, SPDY over HTTP/1.1. Undefined for any other token, h2c
 * above all: it is dropped and the request forwarded as an ordinary one.
 */
export function forwardedUpgrade(feature: UpgradeFeature): ForwardedUpgrade | undefined {
  const protocol = feature.protocol.toLowerCase();
  if (protocol === "websocket") return "websocket";
  return feature.kind === "http1" && protocol.startsWith("spdy/") ? "spdy" : undefined;
}

/** How a destination is asked for an upgrade. */
export interface UpgradePlan {
  /** True: an extended CONNECT over HTTP/2 (RFC 8441). False: GET with Upgrade over HTTP/1.1. */
  readonly connect: boolean;
  /** A destination that knows no HTTP/2, or no extended CONNECT, is asked once more over HTTP/1.1. */
  readonly downgrade: boolean;
}

const overHttp1: UpgradePlan = { connect: false, downgrade: false };
const overHttp2: UpgradePlan = { connect: true, downgrade: false };
const overHttp2IfCan: UpgradePlan = { connect: true, downgrade: true };

/** The plan for an upgrade by the version asked for; undefined where version and policy allow none. */
export function planUpgrade(
  upgrade: ForwardedUpgrade,
  version: HttpVersion,
  policy: VersionPolicy,
  scheme: "http" | "https",
): UpgradePlan | undefined {
  if (policy === "RequestVersionOrLower") {
    return upgrade === "websocket" && scheme === "https" && (version === "2" || version === "3") ? overHttp2IfCan : overHttp1;
  }
  if (version === "3") return undefined;
  if (version === "2") return upgrade === "websocket" ? overHttp2 : undefined;
  return upgrade === "websocket" && scheme === "https" && policy === "RequestVersionOrHigher" ? overHttp2IfCan : overHttp1;
}

/** Whether the Upgrade field of a 101 is meant for its receiver: Connection has to name it (RFC 9110, 7.8). */
export function namesUpgrade(headers: HeaderList): boolean {
  return fieldsNamedByConnection(headers)?.includes("upgrade") === true;
}
