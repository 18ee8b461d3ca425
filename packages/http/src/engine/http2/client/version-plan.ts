import type { DestinationRequest } from "../../../destination-client.ts";

/** Over what a request goes to a destination. */
export type VersionPlan =
  /** HTTP/1.1 */
  | "1.1"
  /** HTTP/2, without ALPN in cleartext */
  | "2"
  /** HTTP/2 or HTTP/1.1, as TLS settles */
  | "negotiated"
  /** HTTP/3, which there is none of, or HTTP/2 for a request of single use */
  | "none";

/**
 * Over what `request` goes by its version (default 2) and policy (default `RequestVersionOrLower`). In cleartext nothing can be
 * negotiated: there "or lower" is HTTP/1.1, and "or higher" the version itself.
 */
export function versionPlan({ httpVersion, versionPolicy, singleUse }: DestinationRequest, scheme: "http" | "https"): VersionPlan {
  const orLower = versionPolicy === undefined || versionPolicy === "RequestVersionOrLower";
  if (singleUse === true) return orLower || httpVersion === "1.0" || httpVersion === "1.1" ? "1.1" : "none";
  switch (httpVersion) {
    case "1.0":
    case "1.1":
      return versionPolicy === "RequestVersionOrHigher" && scheme === "https" ? "negotiated" : "1.1";
    case "3":
      if (!orLower) return "none";
      return scheme === "https" ? "negotiated" : "1.1";
    default:
      if (!orLower) return "2";
      return scheme === "https" ? "negotiated" : "1.1";
  }
}
