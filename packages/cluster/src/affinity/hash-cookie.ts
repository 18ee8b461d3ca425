import { createHash } from "node:crypto";
import { systemClock, type Clock } from "../clock.ts";
import { h64Raw } from "../xxhash.ts";
import { cookieFault, cookieValue, setCookie } from "./cookie.ts";
import { DestinationKeys } from "./destination-keys.ts";
import { keyNotSet, type SessionAffinityPolicy } from "./policy.ts";

/**
 * The key is lower-case hex of XXH64 over the UTF-16LE bytes of the upper-case id: YARP's format. Every gateway gives and
 * understands the same keys. It hides nothing: who knows the ids can make them.
 */
export function hashCookie(clock: Clock = systemClock): SessionAffinityPolicy {
  return hashedCookie("HashCookie", hashCookieKey, clock);
}

/**
 * The key is upper-case hex of SHA-256 over the UTF-16LE bytes of the lower-case id: the format of IIS ARR, with
 * host names as ids and ARR's name of the cookie.
 */
export function arrCookie(clock: Clock = systemClock): SessionAffinityPolicy {
  return hashedCookie("ArrCookie", arrCookieKey, clock);
}

function hashCookieKey(id: string): string {
  return h64Raw(Buffer.from(id.toUpperCase(), "utf16le")).toString(16).padStart(16, "0");
}

function arrCookieKey(id: string): string {
  return createHash("sha256").update(id.toLowerCase(), "utf16le").digest("hex").toUpperCase();
}

function hashedCookie(name: string, keyFor: (id: string) => string, clock: Clock): SessionAffinityPolicy {
  const keys = new DestinationKeys(keyFor);
  return {
    name,
    fault: cookieFault,
    find(exchange, settings, available) {
      const key = cookieValue(exchange.request.headers, settings.affinityKeyName);
      return key === undefined || key === "" ? keyNotSet : keys.find(key, available);
    },
    affinitize(exchange, settings, destination, headers, scheme = exchange.request.scheme) {
      headers.append("Set-Cookie", setCookie(scheme, settings, keys.of(destination), clock.date()));
    },
  };
}
